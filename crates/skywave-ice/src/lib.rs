//! STUN messages (RFC 8489) and the ICE-lite agent (RFC 8445).
//!
//! [`StunMessage`] is a checked view of a received datagram, [`StunWriter`] writes a message
//! into a lent buffer, and [`IceLite`] answers the connectivity checks of one peer, follows its
//! nominations and keeps the time of its last check, on which consent (RFC 7675) rests. Before
//! media moves to another path it asks there, with a check of its own.
//! Nothing here allocates when a datagram arrives.
//!
//! What it does not do: it opens no socket, reads no clock and draws no random numbers; it sends
//! no checks to find a path, so two lite ends do not meet (RFC 8445 §6.1.1 would make one of them
//! controlling); it gathers no candidates but the host's; it knows no long-term credentials,
//! no MESSAGE-INTEGRITY-SHA256, no TURN and no TCP.
//!
//! A datagram that fails is dropped with a [`DropReason`]. What does not prove knowledge of the
//! password gets no answer at all: a server that answered would be a reflector. RFC 8489 §9.1.3
//! asks for 400 and 401 there.
//!
//! STUN has no guard against replay: who can copy a peer's checks can send them again from another
//! address. Media does not follow, as nobody there can answer our own check; who passes that on to
//! the peer and the answer back can lead media there, encrypted as it is, until the peer's own
//! checks bring it back.
//!
//! ```
//! use std::time::Instant;
//! use skywave_ice::{BINDING, Class, Credentials, IceLite, IntegrityKey, MAX_REPLY_LEN, Path};
//! use skywave_ice::{StunMessage, StunWriter};
//!
//! // Ours go into the SDP; the bytes come from a random source.
//! let local = Credentials::from_random(*b"24 bytes of randomness..");
//! // So does the secret, which stays here.
//! let mut agent = IceLite::new(&local, *b"16 random bytes.");
//! agent.set_remote(Credentials::new("h6vY", "VOkJxbRl1RmTxUk/WvJxBt"));
//!
//! // The peer's check, as it would arrive from the network.
//! let key = IntegrityKey::new(local.pwd());
//! let mut datagram = [0; 128];
//! let mut writer = StunWriter::new(&mut datagram, Class::Request, BINDING, [7; 12]);
//! writer.username(&format!("{}:h6vY", local.ufrag()));
//! writer.priority(0x6e00_01ff);
//! writer.ice_controlling(1);
//! writer.use_candidate();
//! let len = writer.finish(Some(&key)).ok_or("the buffer is too short")?;
//!
//! let request = StunMessage::parse(&datagram[..len])?;
//! assert_eq!(request.local_ufrag(), Some(local.ufrag())); // the peer this datagram is for
//!
//! let path = Path { base: 0, remote: "192.0.2.1:32853".parse()? };
//! let mut reply = [0; MAX_REPLY_LEN];
//! let check = agent
//!     .handle_request(Instant::now(), path, &request, &mut reply)
//!     .map_err(|rejected| rejected.reason)?;
//! assert!(check.nominated);
//! assert_eq!(agent.selected(), Some(path));
//!
//! let response = StunMessage::parse(&reply[..check.reply_len])?;
//! assert_eq!(response.xor_mapped_address(), Some(path.remote));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attribute;
mod candidate;
mod check_rate;
mod class;
mod credentials;
mod drop_reason;
mod ice_lite;
mod integrity_key;
mod nominations;
mod path;
mod path_validation;
mod stun_message;
mod stun_writer;
mod valid_list;

pub use candidate::{host_foundation, host_priority};
pub use check_rate::MAX_CHECKS_PER_SECOND;
pub use class::{BINDING, Class};
pub use credentials::Credentials;
pub use drop_reason::DropReason;
pub use ice_lite::{Check, IceLite, MAX_CHECK_LEN, MAX_REPLY_LEN, Rejected};
pub use integrity_key::IntegrityKey;
pub use path::Path;
pub use stun_message::{StunMessage, is_stun};
pub use stun_writer::StunWriter;
pub use valid_list::MAX_VALID_PATHS;
