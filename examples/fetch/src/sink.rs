//! Where bodies go.
//!
//! Files may be slow, so they are made, written and renamed on other threads.
//! A file has its name only when it is whole; until then it has another one,
//! under which it is removed when its download fails or is given up.

use crate::failure::Failure;
use molen::to_thread;
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};
use url::Url;

/// How much is gathered before it is written.
const PIECE: usize = 256 * 1024;

/// Where a body is to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// Nowhere: it is counted.
    Nowhere,
    /// To a file of this path.
    File(PathBuf),
    /// To a file that is removed when standard output has it.
    Spool,
}

/// Where a body goes.
pub struct Sink {
    place: Option<Place>,
    path: PathBuf,
    gathered: Vec<u8>,
    count: u64,
}

/// A file that has begun, and what it is to be.
struct Place {
    file: NamedTempFile,
    becomes: Becomes,
}

#[derive(Clone, Copy)]
enum Becomes {
    Named,
    Spooled,
}

impl Sink {
    /// For one body.
    ///
    /// # Errors
    ///
    /// [`Failure::Output`].
    ///
    /// # Cancellation
    ///
    /// What was made is removed.
    pub async fn open(destination: &Destination) -> Result<Sink, Failure> {
        let (path, place) = match destination {
            Destination::Nowhere => (PathBuf::new(), None),
            Destination::File(path) => {
                let target = path.clone();
                let file = on_thread(path, move || partial(&target)).await?;
                (path.clone(), Some(Place { file, becomes: Becomes::Named }))
            }
            Destination::Spool => {
                let path = std::env::temp_dir();
                let file = on_thread(&path, NamedTempFile::new).await?;
                (path, Some(Place { file, becomes: Becomes::Spooled }))
            }
        };
        Ok(Sink { place, path, gathered: Vec::new(), count: 0 })
    }

    /// Writes all of `bytes`, now or later.
    ///
    /// # Errors
    ///
    /// [`Failure::Output`].
    ///
    /// # Cancellation
    ///
    /// The file is removed.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.count += bytes.len() as u64;
        if self.place.is_some() {
            self.gathered.extend_from_slice(bytes);
            if self.gathered.len() >= PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let Some(mut place) = self.place.take() else { return Ok(()) };
        let mut bytes = std::mem::take(&mut self.gathered);
        let write = move || {
            place.file.write_all(&bytes)?;
            bytes.clear();
            Ok((place, bytes))
        };
        let (place, bytes) = on_thread(&self.path, write).await?;
        (self.place, self.gathered) = (Some(place), bytes);
        Ok(())
    }

    /// How many bytes were written.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The body is whole: the file gets its name, or its path comes back.
    ///
    /// # Errors
    ///
    /// [`Failure::Output`].
    ///
    /// # Cancellation
    ///
    /// The file is removed, or has its name.
    pub async fn finish(mut self) -> Result<Option<TempPath>, Failure> {
        let Some(mut place) = self.place.take() else { return Ok(None) };
        let (bytes, path) = (std::mem::take(&mut self.gathered), self.path.clone());
        let finish = move || {
            place.file.write_all(&bytes)?;
            match place.becomes {
                Becomes::Named => {
                    place.file.persist(path).map(|_file| None).map_err(|error| error.error)
                }
                // Closed, as any number may wait for their turn.
                Becomes::Spooled => Ok(Some(place.file.into_temp_path())),
            }
        };
        on_thread(&self.path, finish).await
    }
}

async fn on_thread<T: Send + 'static>(
    path: &Path,
    job: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    match to_thread(job).await {
        Ok(done) => done.map_err(|error| Failure::Output(path.to_owned(), error)),
        Err(error) => Err(Failure::Writer(error.to_string())),
    }
}

/// A file beside `target` that can get its name. Blocks.
fn partial(target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".fetch-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file; by default it would be the user's alone.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(target.parent().unwrap_or(Path::new(".")))
}

/// Names for files, each given once.
#[derive(Default)]
pub struct Names {
    /// In small letters, as some systems do not tell them from capitals.
    given: HashSet<String>,
}

impl Names {
    /// A name by the end of the path of `url`: no other folder, nothing hidden,
    /// and with a number if it was given before.
    pub fn of(&mut self, url: &Url) -> String {
        let last = url.path_segments().and_then(|mut segments| segments.next_back());
        let name = clean(last.unwrap_or_default());
        let mut candidate = name.clone();
        let mut number = 1;
        while !self.given.insert(candidate.to_lowercase()) {
            candidate = format!("{name}.{number}");
            number += 1;
        }
        candidate
    }
}

/// How long a name may be: systems allow 255, and a number may be added.
const LONGEST: usize = 200;

fn clean(segment: &str) -> String {
    let decoded = percent_decode(segment);
    let mut name = String::new();
    for c in decoded.chars() {
        let odd = c.is_control() || "/\\:*?\"<>|".contains(c);
        let hidden = name.is_empty() && c == '.';
        if name.len() + c.len_utf8() <= LONGEST {
            name.push(if odd || hidden { '_' } else { c });
        }
    }
    if name.is_empty() { "index.html".to_owned() } else { name }
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, more)) = rest.split_first() {
        let digits = more.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if *byte == b'%' => {
                bytes.push(value);
                rest = &more[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder_and_are_given_once() {
        let mut names = Names::default();
        for (url, name) in [
            ("http://a/", "index.html"),
            ("http://b/", "index.html.1"),
            ("http://a/x/page.html?q=1#f", "page.html"),
            ("http://a/y/Page.html", "Page.html.1"),
            ("http://a/%2e%2e%2fetc%2fpasswd", "_._etc_passwd"),
            ("http://a/.bashrc", "_bashrc"),
            ("http://a/a%00b%0a", "a_b_"),
            ("http://a/caf%C3%A9", "café"),
            ("http://a/100%", "100%"),
        ] {
            assert_eq!(names.of(&Url::parse(url).expect("a URL")), name, "{url}");
        }
        let long = format!("http://a/{}", "é".repeat(300));
        assert_eq!(names.of(&Url::parse(&long).expect("a URL")).len(), LONGEST);
    }
}
