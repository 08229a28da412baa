//! One measured figure: a JSON line, from child to parent and into `--json`.

use serde::{Deserialize, Serialize};

/// What a child prints for each figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// Name of a [`crate::row::Figure`].
    pub figure: String,
    /// The value, in that figure's unit.
    pub value: f64,
    /// Wall time over CPU time, for a figure in CPU time: near 1 means that
    /// the thread was alone on its CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stretch: Option<f64>,
    /// What the value is made of, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A reading with where it came from: one line of `--json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// The column.
    pub peer: String,
    /// Which turn of the whole run.
    pub round: u32,
    /// Whether nobody else used the CPUs meanwhile.
    pub clean: bool,
    /// The figure.
    #[serde(flatten)]
    pub reading: Reading,
}

impl Reading {
    /// A plain figure.
    pub fn new(figure: impl Into<String>, value: f64) -> Self {
        Reading { figure: figure.into(), value, stretch: None, detail: None }
    }

    /// Prints the line for the parent.
    pub fn print(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{line}"),
            Err(error) => eprintln!("cannot write {}: {error}", self.figure),
        }
    }
}

/// The readings among the lines of a child's output.
pub fn readings(output: &str) -> Vec<Reading> {
    output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
