//! Unix sockets for messages.

use super::log::{Log, Recorder, Then};
use crate::case::{Failure, Outcome};
use crate::real::{ok, run};
use molen::net::{
    DatagramTransport, ExtraInfo, ExtraValue, UnixAddress, UnixDatagram, create_datagram_endpoint,
};
use molen::{Duration, sleep};
use std::fs;
use std::path::{Path, PathBuf};
use std::string::ToString;

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Result<Directory, Failure> {
        let name = std::format!("molen-endpoints-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        ok(fs::create_dir(&path))?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // It may stay, if the system says so.
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn recorder(
    path: &Path,
    log: &Log,
    then: Then,
) -> Result<DatagramTransport<UnixAddress>, Failure> {
    ok(create_datagram_endpoint(path, None, Recorder(log.clone(), then)).await)
}

pub(super) fn endpoints_of_unix_sockets_know_their_peers_by_path() -> Outcome {
    run(async {
        let directory = Directory::new("2006")?;
        let (one, other) = (directory.0.join("one"), directory.0.join("other"));
        let (here, there) = (Log::default(), Log::default());
        let echo = recorder(&one, &there, Then::Answer).await?;
        let Some(ExtraValue::UnixAddress(address)) = echo.get_extra_info(ExtraInfo::SockName) else {
            return Err(Failure::said("it has no path"));
        };
        check_eq!(address.as_pathname(), Some(&*one));
        let sender = recorder(&other, &here, Then::Nothing).await?;
        sender.sendto(b"hello", Some(&address))?;
        here.wait_for(">hello").await;
        // Connected, and without a path: nobody can answer.
        let connected =
            create_datagram_endpoint(Path::new(""), Some(&*one), Recorder(here.clone(), Then::Nothing));
        let connected = ok(connected.await)?;
        check_eq!(
            connected.get_extra_info(ExtraInfo::PeerName),
            Some(ExtraValue::UnixAddress(address))
        );
        connected.sendto(b"", None)?;
        connected.sendto(b"unnamed", None)?;
        there.wait_for("unnamed").await;
        // The answer to nobody is told, and the endpoint goes on.
        sender.sendto(b"again", Some(&address))?;
        here.wait_for(">again").await;
        echo.close();
        there.closed(&echo).await;
        sender.sendto(b"gone", Some(&address))?;
        while !here.has(&no_such_file()) {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    })
}

fn no_such_file() -> std::string::String {
    molen::io::source::SourceError::Os(2).to_string()
}

pub(super) fn a_full_receiver_is_waited_for() -> Outcome {
    run(async {
        let directory = Directory::new("2007")?;
        let path = directory.0.join("slow");
        let receiver = ok(UnixDatagram::bind(&path))?;
        let to = ok(receiver.local_addr())?;
        let log = Log::default();
        let sender = recorder(&directory.0.join("sender"), &log, Then::Nothing).await?;
        let unnamed = UnixAddress::UNNAMED;
        let connected = create_datagram_endpoint(unnamed, Some(to), Recorder(log.clone(), Then::Nothing));
        let connected = ok(connected.await)?;
        for number in 0..300_u32 {
            sender.sendto(&number.to_le_bytes(), Some(&to))?;
            connected.sendto(&number.to_le_bytes(), None)?;
        }
        check!(sender.get_write_buffer_size() > 0, "there was room for all");
        sender.close();
        connected.close();
        let mut next = [0; 2];
        while next != [300, 300] {
            let mut number = [0; 4];
            let (count, from) = ok(receiver.recv_from(&mut number).await)?;
            check_eq!(count, 4);
            let next = &mut next[usize::from(from.is_unnamed())];
            check_eq!(u32::from_le_bytes(number), *next);
            *next += 1;
        }
        log.closed(&sender).await;
        log.closed(&connected).await;
        Ok(())
    })
}

pub(super) fn an_endpoints_path_is_replaced_and_removed() -> Outcome {
    run(async {
        let directory = Directory::new("2008")?;
        let path = directory.0.join("socket");
        drop(ok(std::os::unix::net::UnixDatagram::bind(&path))?);
        let log = Log::default();
        let first = recorder(&path, &log, Then::Nothing).await?;
        let second = recorder(&path, &log, Then::Nothing).await?;
        first.close();
        log.closed(&first).await;
        check!(path.exists(), "the path of the second endpoint was removed");
        second.close();
        log.closed(&second).await;
        check!(!path.exists(), "the path is left");
        ok(fs::write(&path, b"of value"))?;
        let again = create_datagram_endpoint(&*path, None, Recorder(log, Then::Nothing)).await;
        let Err(error) = again else { return Err(Failure::said("a file was replaced")) };
        let expected = std::format!("cannot receive datagrams on {}: ", path.display());
        check!(error.to_string().starts_with(&expected), "the error does not say where");
        Ok(())
    })
}
