//! Files that cases make.

use crate::case::Failure;
use crate::real::ok;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

/// A file that is gone when the case ends.
pub(crate) struct Temporary {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may stay, if the system says so.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// One that has this content and stands at its position 3. No other case has
/// one by the same name.
pub(crate) fn file_of(name: &str, content: &[u8]) -> Result<Temporary, Failure> {
    let name = std::format!("molen-{}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(true);
    let mut file = ok(options.open(&path))?;
    ok(file.write_all(content))?;
    ok(file.seek(SeekFrom::Start(3)))?;
    Ok(Temporary { path, file })
}
