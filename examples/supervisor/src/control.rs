//! Being asked, over a Unix socket, by this program or by `nc -U`.
//!
//! A request is a line; its answer is some lines and an empty one.
//!
//! | request | what is done |
//! |---|---|
//! | `status` | a line for each program |
//! | `stop NAME` | it is stopped, and not started again |
//! | `start NAME` | it is started, if it does not run |
//! | `restart NAME` | it is stopped and started |
//! | `reload` | the file is read again |

use crate::Asked;
use crate::fleet::{Fleet, NoSuchProgram};
use molen::net::{Server, StreamReader, StreamWriter, open_unix_connection, start_unix_server};
use std::error::Error;
use std::path::Path;
use std::rc::Rc;

/// Only who runs the supervisor may ask it.
const OWNER_ONLY: u32 = 0o600;

/// The longest request, in bytes.
const LONGEST_REQUEST: usize = 1024;

/// Listens at `path`, until the server is closed.
pub async fn listen(
    path: &Path,
    fleet: &Rc<Fleet>,
    asked: &Rc<Asked>,
) -> Result<Server, Box<dyn Error>> {
    let (fleet, asked) = (fleet.clone(), asked.clone());
    let handler = move |reader, writer| serve(fleet.clone(), asked.clone(), reader, writer);
    Ok(start_unix_server(path, handler).mode(OWNER_ONLY).limit(LONGEST_REQUEST).await?)
}

/// Answers one who asks. One who goes is none of our failures.
async fn serve(fleet: Rc<Fleet>, asked: Rc<Asked>, mut reader: StreamReader, writer: StreamWriter) {
    while let Ok(line) = reader.readline().await {
        if line.is_empty() {
            return;
        }
        let mut answer = answer(&fleet, &asked, &String::from_utf8_lossy(&line)).await;
        answer.push('\n');
        if writer.write(answer.as_bytes()).is_err() || writer.drain().await.is_err() {
            return;
        }
    }
}

async fn answer(fleet: &Rc<Fleet>, asked: &Asked, request: &str) -> String {
    let words: Vec<&str> = request.split_whitespace().collect();
    let done = match words[..] {
        ["status"] => Ok(fleet.status()),
        ["stop", name] => fleet.stop_one(name).await,
        ["start", name] => fleet.start_one(name),
        ["restart", name] => match fleet.stop_one(name).await {
            Ok(_) => fleet.start_one(name),
            refused => refused,
        },
        ["reload"] => {
            asked.to_reload.set();
            Ok("the file is read again\n".into())
        }
        _ => Ok("ask for status, stop NAME, start NAME, restart NAME or reload\n".into()),
    };
    done.unwrap_or_else(|NoSuchProgram(name)| format!("there is no program {name}\n"))
}

/// Asks the supervisor that listens at `path`.
pub async fn ask(path: &Path, request: &str) -> Result<String, Box<dyn Error>> {
    let (mut reader, writer) = open_unix_connection(path).await?;
    writer.writelines(&[request.as_bytes(), b"\n"])?;
    writer.write_eof()?;
    let answer = reader.read_to_end().await?;
    Ok(String::from_utf8_lossy(&answer).trim_end().to_owned())
}
