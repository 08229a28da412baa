//! UDP sockets that belong to a loop.
//!
//! ```
//! use molen_std::udp::UdpSocket;
//!
//! let event_loop = molen_std::new_event_loop()?;
//! event_loop.run_until_complete(async {
//!     let server = UdpSocket::bind("127.0.0.1:0".parse()?)?;
//!     let client = UdpSocket::connect(server.local_addr()?)?;
//!     client.send(b"ping").await?;
//!     let mut message = [0; 16];
//!     let (length, sender) = server.recv_from(&mut message).await?;
//!     server.send_to(&message[..length], sender).await?;
//!     assert_eq!(client.recv(&mut message).await?, 4);
//!     Ok::<_, Box<dyn std::error::Error>>(())
//! })??;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `udp_socket` | messages in and out |
//! | `multicast` | groups, broadcast, how far messages go |

mod multicast;
mod udp_socket;

pub use udp_socket::UdpSocket;
