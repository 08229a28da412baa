//! What Debian's packages can give, with the machine's own servers.
//!
//! A suite that is not configured is reached by copying the machine's own source entry with
//! another `Suites:` line, so no server is ever named here.
//! - [`unpack`] needs no root and leaves no trace: it uses a private apt folder.
//! - [`install`] needs root; a suite that it adds stays configured, as a file of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::step;
use crate::process;

/// Where apt's configuration is.
const SOURCES: &str = "/etc/apt";

/// Fetching package lists or a package must not take longer than this.
const FETCH_LIMIT: Duration = Duration::from_secs(600);

/// Downloads the version of `package` in `suite` that `fits`, and unpacks it into a folder that is
/// gone when the answer is dropped.
///
/// # Errors
/// When this is no Debian-like machine, the suite cannot be read, or no version fits.
pub fn unpack(package: &str, suite: &str, fits: impl Fn(&str) -> bool) -> Result<TempDir> {
    let private = tempfile::tempdir().context("make a scratch folder for apt")?;
    for folder in ["sources", "lists/partial", "cache/archives/partial", "package", "tree"] {
        fs::create_dir_all(private.path().join(folder)).context("make a scratch folder for apt")?;
    }
    let (name, entry) = source_entry(Path::new(SOURCES), suite)?;
    fs::write(private.path().join("sources").join(name), entry)
        .context("write a source entry for apt")?;
    let apt = |program: &str| {
        let mut command = Command::new(program);
        for (option, value) in [
            ("Dir::Etc::sourcelist", private.path().join("none")),
            ("Dir::Etc::sourceparts", private.path().join("sources")),
            ("Dir::State::lists", private.path().join("lists")),
            ("Dir::Cache", private.path().join("cache")),
        ] {
            command.arg("-o").arg(format!("{option}={}", value.display()));
        }
        // apt's download user may not enter our scratch folder.
        command.args(["-o", "APT::Sandbox::User=root", "-q"]);
        command.current_dir(private.path().join("package"));
        command
    };
    let doing = || format!("get Debian's {package} from {suite}");
    process::capture(apt("apt-get").arg("update"), FETCH_LIMIT)
        .and_then(process::Captured::require_success)
        .with_context(doing)?;
    let listed = process::capture(apt("apt-cache").args(["madison", package]), FETCH_LIMIT)
        .and_then(process::Captured::require_success)
        .with_context(doing)?;
    let versions: Vec<&str> =
        listed.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).collect();
    let Some(version) = versions.iter().find(|version| fits(version)) else {
        bail!("{}: it has only [{}], and none of these fits", doing(), versions.join(", "));
    };
    process::capture(
        apt("apt-get").arg("download").arg(format!("{package}={version}")),
        FETCH_LIMIT,
    )
    .and_then(process::Captured::require_success)
    .with_context(doing)?;
    let file = fs::read_dir(private.path().join("package"))
        .with_context(doing)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .with_context(|| format!("{}: apt-get left no .deb", doing()))?;
    let tree = tempfile::tempdir().context("make a scratch folder")?;
    process::capture(Command::new("dpkg").arg("-x").arg(&file).arg(tree.path()), FETCH_LIMIT)
        .and_then(process::Captured::require_success)
        .with_context(doing)?;
    Ok(tree)
}

/// Installs `packages`: plainly, or from the release's backports where the plain way does not fit
/// what is installed already (packages from backports, for one).
///
/// # Errors
/// When this is no Debian-like machine, when we are not root, or when apt refuses.
pub fn install(packages: &[&str]) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() {
        bail!("this is not Debian or one of its kin, whose packages could be installed");
    }
    if !is_root()? {
        bail!("installing packages needs root");
    }
    apt_update()?;
    if let Err(error) = simulate(packages, None) {
        let Some(codename) = codename() else {
            return Err(error);
        };
        let suite = format!("{codename}-backports");
        step(&format!(
            "the plain packages do not fit this machine, so they come from {suite}: {error:#}"
        ));
        if simulate(packages, Some(&suite)).is_err() {
            let (name, entry) = source_entry(Path::new(SOURCES), &suite)?;
            let file = Path::new(SOURCES).join("sources.list.d").join(name);
            step(&format!(
                "adding {} for {suite}, copied from the machine's own entry",
                file.display()
            ));
            fs::write(&file, entry).with_context(|| format!("write {}", file.display()))?;
            apt_update()?;
            simulate(packages, Some(&suite))?;
        }
        return apt_install(packages, Some(&suite));
    }
    apt_install(packages, None)
}

fn apt_update() -> Result<()> {
    process::run_streamed(
        Command::new("apt-get").args(["-q", "update"]),
        "read Debian's package lists",
    )
}

fn apt_install(packages: &[&str], suite: Option<&str>) -> Result<()> {
    let doing = format!("install {}", packages.join(" "));
    process::run_streamed(&mut apt_get_install(packages, suite), &doing)
}

/// Whether apt could install `packages` without removing anything.
fn simulate(packages: &[&str], suite: Option<&str>) -> Result<()> {
    let mut command = apt_get_install(packages, suite);
    command.arg("--simulate").arg("--no-remove");
    process::capture(&mut command, FETCH_LIMIT)?.require_success()?;
    Ok(())
}

fn apt_get_install(packages: &[&str], suite: Option<&str>) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args([
        "-q",
        "-y",
        "--no-install-recommends",
        "install",
    ]);
    if let Some(suite) = suite {
        command.args(["-t", suite]);
    }
    command.args(packages);
    command
}

fn is_root() -> Result<bool> {
    let user = process::capture(Command::new("id").arg("-u"), FETCH_LIMIT)?.require_success()?;
    Ok(user.trim() == "0")
}

/// The release's name, as in `bookworm`.
fn codename() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// The machine's own source entry, with `suite` in place of its suites: a file name and its text.
fn source_entry(apt: &Path, suite: &str) -> Result<(String, String)> {
    let mut files: Vec<PathBuf> = vec![apt.join("sources.list")];
    if let Ok(entries) = fs::read_dir(apt.join("sources.list.d")) {
        let mut more: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        more.sort();
        files.extend(more);
    }
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        let kind = file.extension().and_then(|extension| extension.to_str());
        let entry = match kind {
            Some("sources") => from_stanzas(&text, suite),
            Some("list") => from_lines(&text, suite),
            _ => None,
        };
        if let (Some(entry), Some(kind)) = (entry, kind) {
            return Ok((format!("molen-{suite}.{kind}"), entry));
        }
    }
    bail!(
        "find an entry for Debian's main suite in {}, to copy it for {suite}: there is none",
        apt.display()
    )
}

/// Whether `suite` is a release itself, and not its security, updates or backports suite.
fn is_main_suite(suite: &str) -> bool {
    !suite.is_empty() && !suite.contains(['-', '/'])
}

/// From the paragraphs of a `.sources` file.
fn from_stanzas(text: &str, suite: &str) -> Option<String> {
    text.split("\n\n").find_map(|stanza| {
        let lines: Vec<&str> = stanza.lines().filter(|line| !line.starts_with('#')).collect();
        let field =
            |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let fits = field("Types:")?.split_whitespace().any(|kind| kind == "deb")
            && field("URIs:")?.contains("debian")
            && field("Suites:")?.split_whitespace().next().is_some_and(is_main_suite);
        fits.then(|| {
            let copied = lines.iter().map(|line| {
                if line.starts_with("Suites:") {
                    format!("Suites: {suite}\n")
                } else {
                    format!("{line}\n")
                }
            });
            copied.collect()
        })
    })
}

/// From the lines of a `.list` file: `deb [options] URI suite components`.
fn from_lines(text: &str, suite: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((options, rest)) => (format!("[{options}] "), rest),
            None => (String::new(), rest),
        };
        let mut words = rest.split_whitespace();
        let (uri, main) = (words.next()?, words.next()?);
        if !uri.contains("debian") || !is_main_suite(main) {
            return None;
        }
        let components = words.collect::<Vec<_>>().join(" ");
        Some(format!("deb {options}{uri} {suite} {components}\n"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANZAS: &str = "Types: deb\n# a comment\nURIs: mirror:/debian-security\nSuites: bookworm-security\nComponents: main\n\n\
        Types: deb\nURIs: mirror:/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /k.gpg\n";

    #[test]
    fn the_release_s_own_stanza_is_copied_with_another_suite() {
        assert_eq!(
            from_stanzas(STANZAS, "trixie-backports").as_deref(),
            Some(
                "Types: deb\nURIs: mirror:/debian\nSuites: trixie-backports\nComponents: main\nSigned-By: /k.gpg\n"
            )
        );
    }

    #[test]
    fn the_release_s_own_line_is_copied_with_another_suite() {
        let text = "# x\ndeb mirror:/debian-security bookworm-security main\ndeb [signed-by=/k.gpg] mirror:/debian bookworm main contrib\n";
        assert_eq!(
            from_lines(text, "bookworm-backports").as_deref(),
            Some("deb [signed-by=/k.gpg] mirror:/debian bookworm-backports main contrib\n")
        );
        assert_eq!(
            from_lines("deb mirror:/other stable main\n", "x"),
            None,
            "another vendor's packages"
        );
    }
}
