//! One URL: where it leads, and what may be tried again.
//!
//! ```text
//!  ask ──2xx──▶ done
//!   ▲ │
//!   │ ├─ redirect, not too many, to somewhere new ──┐
//!   │ └─ it may pass, and tries are left: wait ─────┤
//!   └───────────────────────────────────────────────┘
//! ```

use crate::connections::{Connections, Origin};
use crate::exchange::{Answer, Exchange};
use crate::failure::Failure;
use crate::options::Options;
use crate::progress::Progress;
use crate::sink::Destination;
use molen::timeouts::{TimeoutError, timeout};
use molen::{Duration, Semaphore, sleep};
use std::cell::Cell;
use tempfile::TempPath;
use url::Url;

/// The first pause before another try; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    pub status: u16,
    pub bytes: u64,
    pub redirects: u32,
    /// The body, if it was to be spooled.
    pub spooled: Option<TempPath>,
}

/// What all downloads share.
pub struct Downloads {
    pub options: Options,
    pub connections: Connections,
    pub progress: Progress,
    /// How many may be at work.
    pub permits: Semaphore,
}

impl Downloads {
    /// Fetches `url`.
    ///
    /// # Errors
    ///
    /// [`Failure`], after so many tries as the options say.
    ///
    /// # Cancellation
    ///
    /// Nothing is left of it.
    pub async fn fetch(&self, url: &Url, to: &Destination) -> Result<Fetched, Failure> {
        let limit = self.options.timeout;
        match timeout(limit, self.with_retries(url, to)).await {
            Ok(done) => done,
            Err(TimeoutError::Elapsed) => Err(Failure::TooLate(limit.unwrap_or_default())),
            Err(error) => Err(Failure::Writer(error.to_string())),
        }
    }

    async fn with_retries(&self, url: &Url, to: &Destination) -> Result<Fetched, Failure> {
        let mut pause = FIRST_PAUSE;
        for _ in 0..self.options.retries {
            match self.with_redirects(url, to).await {
                Err(failure) if failure.may_pass() => {
                    let wished = failure.retry_after().unwrap_or_default();
                    sleep(pause.max(wished).min(LONGEST_PAUSE)).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        self.with_redirects(url, to).await
    }

    async fn with_redirects(&self, url: &Url, to: &Destination) -> Result<Fetched, Failure> {
        let mut visited = vec![url.clone()];
        let mut url = url.clone();
        loop {
            let Answer { head, bytes, spooled } = self.in_turn(&url, to).await?;
            let status = head.status;
            if (200..300).contains(&status) {
                let redirects = visited.len() as u32 - 1;
                return Ok(Fetched { status, bytes, redirects, spooled });
            }
            if !head.is_redirect() {
                return Err(Failure::Status { code: status, retry_after: head.retry_after });
            }
            let location = head.location.ok_or(Failure::NoLocation(status))?;
            let mut next = url.join(&location).map_err(Failure::NotAUrl)?;
            // It is not sent, and so makes no difference.
            next.set_fragment(None);
            if visited.contains(&next) {
                return Err(Failure::RedirectLoop(Box::new(next)));
            }
            if visited.len() > self.options.redirects as usize {
                return Err(Failure::TooManyRedirects(self.options.redirects));
            }
            visited.push(next.clone());
            url = next;
        }
    }

    /// One exchange, when it is its turn: of its host, then of all. Whoever is
    /// redirected waits again, holding nothing, so none waits for another in a circle.
    async fn in_turn(&self, url: &Url, to: &Destination) -> Result<Answer, Failure> {
        let origin = Origin::of(url)?;
        let exchange = Exchange {
            connections: &self.connections,
            progress: &self.progress,
            idle_timeout: self.options.idle_timeout,
        };
        let work = async {
            let _permit = self.permits.acquire().await;
            let _busy = Busy::begin(&self.progress.busy);
            exchange.get(url, to).await
        };
        self.connections.in_turn(&origin, work).await
    }
}

/// Counts what is under way.
struct Busy<'a>(&'a Cell<usize>);

impl<'a> Busy<'a> {
    fn begin(count: &'a Cell<usize>) -> Busy<'a> {
        count.set(count.get() + 1);
        Busy(count)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
