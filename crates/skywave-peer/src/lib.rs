//! One WebRTC audio peer, and the hub of all peers behind one port.
//!
//! This crate puts the leaves together: ICE-lite finds the way, DTLS makes the keys, RTP and SRTP
//! carry the frames, RTCP reports. It is deterministic: datagrams, frames and the time come as
//! arguments, datagrams leave in an [`Outbox`] that the caller lends, and what happens is told in
//! [`PeerEvent`]s. It opens no socket, reads no clock, starts no thread, and knows nothing of audio
//! beyond payloads with a timestamp. It never receives media.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use skywave_ice::Path;
//! use skywave_peer::{DropReason, Hub, Io, Outbox};
//! use skywave_rtp::NtpTime;
//!
//! let mut hub = Hub::new();
//! let (mut outbox, mut events) = (Outbox::new(), Vec::new());
//! let mut io = Io {
//!     now: Instant::now(),
//!     ntp: NtpTime::from_unix(Duration::from_secs(1_800_000_000)),
//!     outbox: &mut outbox,
//!     events: &mut events,
//! };
//! let path = Path { base: 0, remote: "192.0.2.7:50000".parse().unwrap() };
//! hub.handle_datagram(path, &mut [22, 254, 253, 0], &mut io);
//! assert_eq!(hub.drops().count(DropReason::DtlsFromStranger), 1);
//! assert!(outbox.is_empty(), "strangers get no answer");
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod demands;
mod demux;
mod distribution;
mod drop_reason;
mod event;
mod heard;
mod hub;
mod limits;
mod local;
mod loss_response;
mod outbox;
mod peer;
mod protection;
mod remote;
mod reporter;
mod rtp_terms;
mod send_options;
mod send_state;
mod send_states;
mod stream;
mod sweep;
mod totals;
mod transport_counters;

pub use demux::Protocol;
pub use distribution::DistributionSnapshot;
pub use drop_reason::{DropCounters, DropReason};
pub use event::{CloseReason, Connection, FailureReason, Io, PeerEvent, PeerId};
pub use hub::Hub;
pub use limits::Limits;
pub use local::{LocalParameters, restart_fragment};
pub use outbox::Outbox;
pub use peer::{Peer, PeerConfig};
pub use remote::Remote;
pub use rtp_terms::{MediaFormat, RtpTerms};
pub use stream::{Cursor, StreamFrame, StreamKey};
pub use totals::{Totals, TotalsSnapshot};
pub use transport_counters::TransportCounters;
