//! TLS clients, of which some leave in the handshake or without a word.

use crate::activities::{Done, Place, require, while_doing};
use crate::tcp::{some_bytes, talk_over};
use molen::create_task;
use molen::net::open_connection;
use molen::sleep;
use molen::testing::Chance;
use molen::tls::{ClientContext, ServerContext};
use std::io::{Read, Write};
use std::rc::Rc;
use std::time::Duration;

/// The name that the server's certificate is for.
const NAME: &str = "localhost";

/// A server's certificate, and whom it is to be believed by.
pub fn contexts() -> Result<(ServerContext, ClientContext), String> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]);
    let made = made.map_err(while_doing("making a certificate"))?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let server = ServerContext::from_pem(&certificate, &key);
    let client = ClientContext::with_roots_pem(&certificate);
    let failed = while_doing("reading a certificate");
    Ok((server.map_err(&failed)?, client.map_err(&failed)?))
}

/// Sends and receives at once; all comes back.
pub async fn visit(place: Place, chance: Rc<Chance>) -> Done {
    let connecting = open_connection(place.secure()).tls(place.trust()).server_hostname(NAME);
    let (reader, writer) = connecting.await.map_err(while_doing("connecting securely"))?;
    talk_over(reader, writer, chance).await
}

pub async fn cancelled_visit(place: Place, chance: Rc<Chance>) -> Done {
    let task = create_task(visit(place, chance.clone())).map_err(while_doing("creating a task"))?;
    sleep(Duration::from_micros(chance.below(4000) as u64)).await;
    task.cancel();
    match task.await {
        Ok(done) => done,
        Err(error) if error.is_cancelled() => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Says to a TLS server what is not TLS, and leaves.
pub async fn talk_nonsense(place: Place, chance: Rc<Chance>) -> Done {
    let failed = while_doing("connecting to talk nonsense");
    let mut stream = std::net::TcpStream::connect(place.secure()).map_err(&failed)?;
    let mut said = some_bytes(&chance);
    said.truncate(2000);
    stream.write_all(&said).map_err(while_doing("talking nonsense"))?;
    let answered = molen::to_thread(move || {
        stream.shutdown(std::net::Shutdown::Write)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut answer = [0; 1000];
        while stream.read(&mut answer)? > 0 {}
        Ok::<_, std::io::Error>(())
    });
    // Ended with an alert or a reset, but ended.
    let answered = answered.await.map_err(while_doing("a job"))?;
    let waits = answered.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    require(!waits, "a server waits for who has said that nothing more comes")
}
