//! Where a process can be asked: a Unix socket named after it, in a folder
//! that only its user can enter; on Windows a named pipe.

#[cfg(unix)]
pub(super) use in_a_folder::{name_of, prepare};
#[cfg(not(unix))]
pub(super) use named_pipe::{name_of, prepare};

#[cfg(unix)]
mod in_a_folder {
    use interprocess::local_socket::{GenericFilePath, Name, ToFsName};
    use std::fs::{self, DirBuilder};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::path::PathBuf;

    /// `molen` in the user's runtime folder; without one, `molen-` and the
    /// user's number in the one for temporary files.
    fn folder() -> PathBuf {
        match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
            Some(folder) => PathBuf::from(folder).join("molen"),
            None => std::env::temp_dir().join(format!("molen-{}", user())),
        }
    }

    fn user() -> u32 {
        // SAFETY: it has no conditions.
        unsafe { libc::geteuid() }
    }

    pub(in super::super) fn name_of(process: u32) -> io::Result<Name<'static>> {
        folder().join(format!("{process}.sock")).to_fs_name::<GenericFilePath>()
    }

    /// Makes the folder, and takes away what a process of the same number left
    /// behind. A folder that others may enter is refused: they might have put
    /// it there.
    pub(in super::super) fn prepare(process: u32) -> io::Result<()> {
        let folder = folder();
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let found = fs::symlink_metadata(&folder)?;
        if !found.is_dir() || found.uid() != user() || found.mode() & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{} is not a folder of this user alone", folder.display()),
            ));
        }
        match fs::remove_file(folder.join(format!("{process}.sock"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(not(unix))]
mod named_pipe {
    use interprocess::local_socket::{GenericNamespaced, Name, ToNsName};
    use std::io;

    pub(in super::super) fn name_of(process: u32) -> io::Result<Name<'static>> {
        format!("molen-{process}").to_ns_name::<GenericNamespaced>()
    }

    /// Nothing outlives the process, and only its user may write to its pipe.
    pub(in super::super) fn prepare(_process: u32) -> io::Result<()> {
        Ok(())
    }
}
