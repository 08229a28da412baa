//! Every crate that the workspace can pull in has a licence that deny.toml allows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{CargoOpt, MetadataCommand};
use spdx::{Expression, Licensee, ParseMode};

fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The list in deny.toml.
fn allowed() -> Result<Vec<Licensee>> {
    let text = fs::read_to_string(root().join("deny.toml")).context("read deny.toml")?;
    let file: toml::Table = toml::from_str(&text).context("read deny.toml")?;
    let list = file
        .get("licenses")
        .and_then(|table| table.get("allow")?.as_array())
        .context("deny.toml has no list licenses.allow")?;
    list.iter()
        .map(|entry| {
            let name = entry.as_str().context("an entry of licenses.allow is no text")?;
            Licensee::parse(name).with_context(|| format!("read the licence {name:?} in deny.toml"))
        })
        .collect()
}

/// Old crates write `MIT/Apache-2.0`, which the lax mode reads as crates.io does.
fn is_allowed(licence: &str, allowed: &[Licensee]) -> Result<bool> {
    let expression = Expression::parse_mode(licence, ParseMode::LAX)
        .with_context(|| format!("read the licence {licence:?}"))?;
    Ok(expression.evaluate(|required| allowed.iter().any(|licensee| licensee.satisfies(required))))
}

#[test]
fn every_crate_of_the_graph_has_an_allowed_licence() -> Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .exec()
        .context("ask cargo for the dependency graph")?;
    let allowed = allowed()?;
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        match package.license.as_deref() {
            Some(licence) if is_allowed(licence, &allowed)? => {}
            Some(licence) => wrong.push(format!("{} {}: {licence}", package.name, package.version)),
            None => wrong.push(format!("{} {}: none stated", package.name, package.version)),
        }
    }
    assert!(metadata.packages.len() > 10, "the graph has only {} crates", metadata.packages.len());
    assert!(wrong.is_empty(), "licences that deny.toml does not allow: {wrong:#?}");
    Ok(())
}

#[test]
fn a_licence_that_is_not_listed_is_noticed() -> Result<()> {
    let allowed = allowed()?;
    assert!(is_allowed("MIT/Apache-2.0", &allowed)?);
    assert!(is_allowed("MIT OR LGPL-2.1-or-later", &allowed)?);
    assert!(!is_allowed("GPL-3.0-only", &allowed)?);
    assert!(!is_allowed("MIT AND GPL-3.0-only", &allowed)?);
    Ok(())
}
