//! The command line.

use clap::Parser;
use molen::Duration;
use std::path::PathBuf;

/// Fetches many URLs at once, and says how that went.
///
/// Bodies are read and dropped unless --output or --stdout says where they go. Redirects are
/// followed. The exit code is 0 if every URL was fetched, 1 if one was not, 2 if nothing could be
/// begun. Ctrl-C says how far it came; no file is left half-written.
#[derive(Parser)]
#[command(version)]
pub struct Options {
    /// The URLs, of http and https.
    #[arg(required_unless_present = "from")]
    pub urls: Vec<String>,

    /// A file of more URLs, one a line; - is standard input. Lines that begin with # are skipped.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,

    /// How many to fetch at once.
    #[arg(long, short, value_name = "COUNT", default_value = "16")]
    pub concurrency: std::num::NonZero<usize>,

    /// How many to fetch at once from one host.
    #[arg(long, value_name = "COUNT", default_value = "6")]
    pub per_host: std::num::NonZero<usize>,

    /// Write each body to a file in this folder, named by the end of its URL.
    #[arg(long, short, value_name = "FOLDER", conflicts_with = "stdout")]
    pub output: Option<PathBuf>,

    /// Write the bodies to standard output, one after the other, in the order of their URLs.
    #[arg(long)]
    pub stdout: bool,

    /// Trust the certificates in this file, as PEM, and no others. Else those that the system trusts.
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    /// How many redirects to follow for one URL.
    #[arg(long, value_name = "COUNT", default_value = "10")]
    pub redirects: u32,

    /// How often to try again what may work later: lost connections, time-outs, 503 and its kind.
    #[arg(long, value_name = "COUNT", default_value = "0")]
    pub retries: u32,

    /// How long to wait for a connection: the name, all its addresses, and TLS.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub connect_timeout: Duration,

    /// How long to wait while nothing comes.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub idle_timeout: Duration,

    /// How long one URL may take, with redirects and retries.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub timeout: Option<Duration>,

    /// Say nothing about URLs that were fetched.
    #[arg(long, short)]
    pub quiet: bool,
}

/// A time in seconds, such as 0.5.
fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}
