//! The command line.

use clap::Parser;
use clap::builder::ArgPredicate;
use molen::Duration;
use std::num::NonZero;
use std::path::PathBuf;

/// Serves a folder over HTTP/1.1 and HTTPS: keep-alive, ranges, conditional requests, listings.
///
/// Ctrl-C or SIGTERM lets requests that are being answered finish; a second Ctrl-C does not.
#[derive(Parser, Clone)]
#[command(version)]
pub struct Options {
    /// The folder. Symbolic links that lead out of it are not followed.
    #[arg(default_value = ".")]
    pub folder: PathBuf,

    /// Where to listen, as host:port; may be repeated. Without a host it is all addresses of this
    /// machine, and port 0 takes any free one.
    #[arg(
        long,
        short,
        value_name = "ADDRESS",
        default_value = "localhost:8080",
        default_value_if("unix", ArgPredicate::IsPresent, None)
    )]
    pub listen: Vec<String>,

    /// Listen on a Unix socket too, or if no address is given, only there.
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,

    /// Speak HTTPS, but for the Unix socket: a file with the certificate and those between it and
    /// a root, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The file with the certificate's private key, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Show what is in folders that have no index.html.
    #[arg(long)]
    pub list: bool,

    /// Also serve, and list, what begins with a dot.
    #[arg(long)]
    pub hidden: bool,

    /// Write no line for each request.
    #[arg(long, short)]
    pub quiet: bool,

    /// Those above so many connections are told 503.
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    pub max_connections: NonZero<usize>,

    /// The longest head of a request: above it 431.
    #[arg(long, value_name = "BYTES", default_value = "16384")]
    pub max_header: usize,

    /// How long a request may take to arrive: above it 408. So long may a TLS handshake take, too.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub header_timeout: Duration,

    /// How long a connection may be without a request.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub idle_timeout: Duration,

    /// How long a client may take for 256 KiB of its answer.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub write_timeout: Duration,

    /// How long requests may go on after Ctrl-C or SIGTERM.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub shutdown_timeout: Duration,
}

/// A time in seconds, such as 0.5.
fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}
