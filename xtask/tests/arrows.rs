//! The house of design.md: dependency arrows only point down.
//!
//! ```text
//!  examples, tests, benches, xtask ──► anything below
//!              │
//!            molen (facade) ──► backends, macros, core
//!              │
//!  molen-std, molen-wasi, molen-bare ──► core
//!              │
//!          molen-core ──► nothing of ours;  molen-macros ──► nothing of ours
//! ```
//!
//! What a crate's own tests use (dev-dependencies) may also be one of the programs under `tests/`,
//! and a thing of the house that stands higher, since no user is handed it.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// A floor of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Floor {
    Core,
    Macros,
    Backend,
    Facade,
    /// Programs and libraries that serve tests.
    Tests,
    Examples,
    Benches,
    Xtask,
}

use Floor::{Backend, Benches, Core, Examples, Facade, Macros, Tests, Xtask};

impl Floor {
    /// The floor of a package by the folder it lives in, relative to the checkout.
    fn of(folder: &str) -> Option<Self> {
        Some(match folder {
            "" => Facade,
            "core" => Core,
            "macros" => Macros,
            "std-backend" | "wasi-backend" | "bare-backend" => Backend,
            "xtask" => Xtask,
            _ if folder.starts_with("tests/") => Tests,
            _ if folder.starts_with("examples/") => Examples,
            _ if folder == "benches" || folder.starts_with("benches/") => Benches,
            _ => return None,
        })
    }

    /// What a package on this floor may stand on.
    fn below(self) -> &'static [Self] {
        match self {
            Core | Macros => &[],
            Backend => &[Core],
            Facade => &[Core, Macros, Backend],
            Tests | Examples | Benches | Xtask => &[Core, Macros, Backend, Facade, Tests, Examples],
        }
    }

    /// Whether `self` may depend on `other`.
    fn may_use(self, other: Self, kind: DependencyKind) -> bool {
        let for_its_own_tests =
            kind == DependencyKind::Development && self != Core && other != Xtask;
        let core_s_own_tests = kind == DependencyKind::Development && other == Tests;
        self.below().contains(&other) || for_its_own_tests || core_s_own_tests
    }
}

fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

fn workspace() -> Result<Metadata> {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("ask cargo for the workspace")
}

fn folder(package: &Package, root: &Path) -> Result<String> {
    let folder = package.manifest_path.parent().context("a manifest lies in no folder")?;
    let relative = folder
        .as_std_path()
        .strip_prefix(root)
        .with_context(|| format!("{} lies outside the checkout", package.name))?;
    Ok(relative.to_string_lossy().replace('\\', "/"))
}

#[test]
fn arrows_only_point_down() -> Result<()> {
    let metadata = workspace()?;
    let root = metadata.workspace_root.as_std_path();
    let mut floors = Vec::new();
    for package in &metadata.packages {
        let folder = folder(package, root)?;
        let floor = Floor::of(&folder).with_context(|| {
            format!("{folder} is no room of the house: see design.md, section 1")
        })?;
        floors.push((package, floor));
    }
    for floor in [Core, Macros, Backend, Facade, Xtask] {
        assert!(floors.iter().any(|(_, found)| *found == floor), "no package is {floor:?}");
    }
    let mut wrong = Vec::new();
    for (package, floor) in &floors {
        // Declared ones, so those of other targets and of features that are off count too.
        for dependency in &package.dependencies {
            let Some((_, other)) =
                floors.iter().find(|(package, _)| *package.name == *dependency.name)
            else {
                continue;
            };
            if !floor.may_use(*other, dependency.kind) {
                wrong.push(format!(
                    "{} ({floor:?}) -> {} ({other:?}), a {} dependency",
                    package.name, dependency.name, dependency.kind
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point the wrong way: {wrong:#?}");
    Ok(())
}

#[test]
fn an_arrow_that_points_up_is_noticed() {
    use DependencyKind::{Development, Normal};
    assert!(Facade.may_use(Backend, Normal) && Backend.may_use(Core, Normal));
    assert!(!Core.may_use(Backend, Normal) && !Core.may_use(Macros, Normal));
    assert!(
        !Core.may_use(Facade, Development),
        "core's tests need no backend: molen::testing is core's"
    );
    assert!(!Backend.may_use(Backend, Normal) && !Backend.may_use(Facade, Normal));
    assert!(Backend.may_use(Tests, Development) && !Backend.may_use(Tests, Normal));
    assert!(!Facade.may_use(Xtask, Development) && !Benches.may_use(Xtask, Normal));
    assert_eq!(Floor::of("logging-backend"), None);
}
