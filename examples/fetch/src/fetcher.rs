//! All of it: a task for each URL, and what is said about them.

use crate::connections::Connections;
use crate::download::Downloads;
use crate::failure::Failure;
use crate::options::Options;
use crate::progress::Progress;
use crate::report::{self, Outcome, Told};
use crate::sink::{Destination, Names};
use molen::combine::{Either, select};
use molen::tls::ClientContext;
use molen::{Semaphore, TaskGroup, catch_cancel, current_time, to_thread};
use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;
use url::Url;

/// Fetches everything that the options name.
///
/// # Errors
///
/// Nothing could be begun: the list of URLs cannot be read, or the folder not be made.
///
/// # Cancellation
///
/// What is under way is given up, what was fetched is reported, and the cancel goes on.
pub async fn fetch(mut options: Options) -> Result<report::Result, Box<dyn Error>> {
    let began = current_time();
    let mut urls = std::mem::take(&mut options.urls);
    if let Some(from) = &options.from {
        urls.extend(listed(from).await?);
    }
    if let Some(folder) = options.output.clone() {
        let shown = folder.display().to_string();
        to_thread(move || std::fs::create_dir_all(folder))
            .await?
            .map_err(|error| format!("cannot make the folder {shown}: {error}"))?;
    }
    let told = match (options.quiet, options.stdout) {
        (true, _) => Told::Nobody,
        (false, true) => Told::Errors,
        (false, false) => Told::Out,
    };
    let roots = match &options.cacert {
        Some(path) => {
            let pem = read(path, "certificates").await?;
            // Better now than once for each URL.
            ClientContext::with_roots_pem(&pem).map_err(|error| {
                format!("cannot trust the certificates in {}: {error}", path.display())
            })?;
            Some(pem)
        }
        None => None,
    };
    let downloads = Rc::new(Downloads {
        connections: Connections::new(options.per_host.get(), options.connect_timeout, roots),
        progress: Progress::new(urls.len()),
        permits: Semaphore::new(options.concurrency.get()),
        options,
    });
    let outcomes: Outcomes = urls.iter().map(|_url| RefCell::new(None)).collect();
    let all = select((fetch_all(&downloads, &urls, &outcomes), downloads.progress.show()));
    let all = catch_cancel(async {
        match all.await {
            Either::First(done) => done,
            Either::Second(()) => Ok(()),
        }
    });
    let interrupted = match all.await {
        Ok(done) => {
            done?;
            None
        }
        Err(cancelled) => Some(cancelled),
    };
    let outcomes: Vec<_> = outcomes.iter().map(RefCell::take).collect();
    let reported = report::print(&urls, &outcomes, current_time().saturating_since(began), told);
    if let Some(cancelled) = interrupted {
        let (done, of) = (outcomes.iter().flatten().count(), urls.len());
        eprintln!("fetch: stopped after {done} of {of} URLs");
        match cancelled.propagate().await {}
    }
    Ok(reported?)
}

/// What became of each URL, once that is known.
type Outcomes = Rc<[RefCell<Option<Outcome>>]>;

async fn fetch_all(
    downloads: &Rc<Downloads>,
    urls: &[String],
    outcomes: &Outcomes,
) -> Result<(), Box<dyn Error>> {
    let group = TaskGroup::<Infallible>::new();
    let written = group
        .run(async {
            let mut names = Names::default();
            let mut tasks = Vec::with_capacity(urls.len());
            for (number, text) in urls.iter().enumerate() {
                let url = parse(text);
                let to = destination(&downloads.options, &url, &mut names);
                let (downloads, outcomes) = (downloads.clone(), outcomes.clone());
                tasks.push(group.create_task(async move {
                    let began = current_time();
                    let result = match url {
                        Ok(url) => downloads.fetch(&url, &to).await,
                        Err(failure) => Err(failure),
                    };
                    let took = current_time().saturating_since(began);
                    outcomes[number].replace(Some(Outcome { result, took }));
                    downloads.progress.done.set(downloads.progress.done.get() + 1);
                    Ok(())
                }));
            }
            let mut written = Ok(());
            for (number, task) in tasks.into_iter().enumerate() {
                // A task is refused, or cancelled, only when all are.
                let Ok(task) = task else { continue };
                let _ = task.await;
                if downloads.options.stdout && written.is_ok() {
                    written = print_body(&outcomes[number]).await;
                }
            }
            Ok(written)
        })
        .await?;
    match written {
        Some(Err(error)) => Err(format!("cannot write to standard output: {error}").into()),
        _ => Ok(()),
    }
}

fn parse(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(Failure::NotAUrl)
}

fn destination(options: &Options, url: &Result<Url, Failure>, names: &mut Names) -> Destination {
    match (&options.output, url) {
        (Some(folder), Ok(url)) => Destination::File(folder.join(names.of(url))),
        _ if options.stdout => Destination::Spool,
        _ => Destination::Nowhere,
    }
}

/// Writes a body that was spooled to standard output.
async fn print_body(outcome: &RefCell<Option<Outcome>>) -> io::Result<()> {
    let spooled = match &mut *outcome.borrow_mut() {
        Some(Outcome { result: Ok(fetched), .. }) => fetched.spooled.take(),
        _ => None,
    };
    let Some(path) = spooled else { return Ok(()) };
    let copy = move || io::copy(&mut File::open(&path)?, &mut io::stdout().lock());
    match to_thread(copy).await {
        Ok(copied) => copied.map(|_bytes| ()),
        Err(error) => Err(io::Error::other(error.to_string())),
    }
}

/// The URLs in a file, or on standard input.
async fn listed(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let text = read(path, "URLs").await?;
    let text = String::from_utf8(text)
        .map_err(|error| format!("cannot read the URLs in {}: {error}", path.display()))?;
    let lines = text.lines().map(str::trim);
    let urls = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(urls.map(str::to_owned).collect())
}

/// The bytes of a file, or of standard input.
async fn read(path: &Path, what: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let from = path.to_owned();
    let read = move || {
        if from == Path::new("-") {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map(|_count| bytes)
        } else {
            std::fs::read(from)
        }
    };
    let read = to_thread(read).await?;
    Ok(read.map_err(|error| format!("cannot read the {what} in {}: {error}", path.display()))?)
}
