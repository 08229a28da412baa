//! The sources of the standard library, of exactly the compiler's version.
//!
//! Cargo's `-Zbuild-std` reads them at one place in the sysroot. If nothing is there yet, they are
//! put there from an archive or from Debian's package `rust-src`. Sources of another version
//! compile or fail in obscure ways, so the version is checked before anything is moved.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::{archive, debian, step};
use crate::process;
use crate::workspace::Compiler;

/// Names an archive to use.
const VARIABLE: &str = "MOLEN_RUST_LIBRARY";

/// Debian's suite that has recent compilers; it moves on, so it comes last.
const SUITE: &str = "trixie-backports";

/// Makes sure that the sysroot has the library's sources.
///
/// # Errors
/// When they are not there and neither an archive nor Debian has those of this compiler.
pub fn ensure(compiler: &Compiler) -> Result<()> {
    let place = compiler.library_sources();
    if let Some(archive) = archive::from_environment(VARIABLE)? {
        step(&format!(
            "taking the library sources from {}, which {VARIABLE} names",
            archive.display()
        ));
        return install_archive(&archive, compiler);
    }
    if place.join("Cargo.lock").is_file() && check_version(&place, &compiler.release).is_ok() {
        return Ok(());
    }
    let name = archive_name(&compiler.release);
    if let Some(archive) = archive::beside_checkout(|found| found == name) {
        step(&format!("taking the library sources from {}", archive.display()));
        return install_archive(&archive, compiler);
    }
    step(&format!(
        "taking the library sources from Debian's rust-src ({SUITE}): there is no {name} beside the checkout"
    ));
    from_debian(compiler).with_context(|| {
        format!(
            "get the library sources of rustc {}; by hand: `rustup component add rust-src`, or put {name} \
             (the folder `library` of the compiler's source archive) into `offline/` beside the checkout, \
             or name it in {VARIABLE}",
            compiler.release
        )
    })
}

/// What the archive of a release is called.
fn archive_name(release: &str) -> String {
    format!("rust-library-{release}.tar.xz")
}

fn install_archive(archive: &Path, compiler: &Compiler) -> Result<()> {
    let doing = || format!("use the library sources in {}", archive.display());
    let named = archive.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(version) =
        named.strip_prefix("rust-library-").and_then(|name| name.strip_suffix(".tar.xz"))
        && version != compiler.release
    {
        return Err(anyhow!("it is for rustc {version}, and the compiler is {}", compiler.release))
            .with_context(doing);
    }
    let scratch = tempfile::tempdir().context("make a scratch folder")?;
    archive::unpack(archive, scratch.path()).with_context(doing)?;
    install(&scratch.path().join("library"), compiler).with_context(doing)
}

fn from_debian(compiler: &Compiler) -> Result<()> {
    let prefix = format!("{}+", compiler.release);
    let package = debian::unpack("rust-src", SUITE, |version| version.starts_with(&prefix))?;
    let library = package.path().join(format!("usr/src/rustc-{}/library", compiler.release));
    install(&library, compiler).context("use the library sources of Debian's rust-src")
}

/// Copies the checked folder `library` to its place; what stood there before is gone at once.
fn install(library: &Path, compiler: &Compiler) -> Result<()> {
    check_version(library, &compiler.release)?;
    let place = compiler.library_sources();
    let above = place.parent().context("the sources' place has no folder above it")?;
    fs::create_dir_all(above).with_context(|| format!("make the folder {}", above.display()))?;
    let fresh = above.join("library.new");
    remove_folder(&fresh)?;
    // The scratch folder may be on another file system, so it is a copy and not a rename;
    // `cp -a` keeps the links that Debian's package has in it.
    let mut copy = Command::new("cp");
    copy.arg("-aL").arg(library).arg(&fresh);
    process::capture(&mut copy, std::time::Duration::from_secs(300))?.require_success()?;
    remove_folder(&place)?;
    fs::rename(&fresh, &place)
        .with_context(|| format!("move the library sources to {}", place.display()))
}

/// Removes a folder (or a link to one) if it is there.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove_folder(folder: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(folder) {
        Err(_) => return Ok(()),
        Ok(data) if data.is_symlink() => fs::remove_file(folder),
        Ok(_) => fs::remove_dir_all(folder),
    };
    removed.with_context(|| format!("remove {}", folder.display()))
}

/// The sources carry no version number, but each stable item says since when it is stable: what
/// came with this release must be there, and what came with the next one must not.
fn check_version(library: &Path, release: &str) -> Result<()> {
    let numbers: Vec<u32> = release.split('.').map_while(|part| part.parse().ok()).collect();
    let &[major, minor, _] = numbers.as_slice() else {
        bail!(
            "the compiler's version {release} is not a stable release, so no archive can match it"
        );
    };
    let sources = library.join("core/src");
    let says = |minor: u32| contains(&sources, &format!("since = \"{major}.{minor}.0\""));
    if !says(minor)? || says(minor + 1)? {
        bail!("{} is not the library of rustc {major}.{minor}", library.display());
    }
    Ok(())
}

/// Whether any Rust file under `folder` contains `needle`.
fn contains(folder: &Path, needle: &str) -> Result<bool> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("read the folder {}", folder.display()))?.path();
        let found = if path.is_dir() {
            contains(&path, needle)?
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            fs::read(&path)
                .with_context(|| format!("read {}", path.display()))?
                .windows(needle.len())
                .any(|window| window == needle.as_bytes())
        } else {
            false
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(since: &[&str]) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        fs::create_dir_all(folder.path().join("core/src/num"))?;
        let text: String =
            since.iter().map(|version| format!("#[stable(since = \"{version}\")]\n")).collect();
        fs::write(folder.path().join("core/src/num/mod.rs"), text)?;
        Ok(folder)
    }

    #[test]
    fn sources_of_the_release_are_taken_and_older_and_newer_ones_are_not() -> Result<()> {
        let ours = library(&["1.94.0", "1.95.0"])?;
        assert!(check_version(ours.path(), "1.95.0").is_ok());
        assert!(check_version(ours.path(), "1.96.0").is_err(), "older sources than the compiler");
        assert!(check_version(ours.path(), "1.94.0").is_err(), "newer sources than the compiler");
        assert!(
            check_version(ours.path(), "1.97.0-nightly").is_err(),
            "a nightly has no release archive"
        );
        Ok(())
    }
}
