//! What the benches measure: one packet to one listener, as this project makes it and as others do.
//!
//! Every candidate is a [`Session`]. [`assert_identical_packets`] shows that a candidate does the
//! same work as ours, by its packets. The criterion benches lie beside this folder, in `benches/`;
//! the program whose instructions are counted, and one that encodes many tracks, in `examples/`.

mod bare_cipher;
mod frame;
mod identity;
mod listener;
#[cfg(feature = "peers")]
mod peers;
mod plain_copy;
#[cfg(feature = "peers")]
mod rtp_template;
mod schedule;
mod session;
mod shuffle;
mod skywave;

pub use bare_cipher::{BareCm, BareGcm};
pub use frame::Frame;
pub use identity::assert_identical_packets;
pub use listener::{FIRST_SEQUENCE_NUMBER, HEADER_OCTETS, Listener, PROFILES};
#[cfg(feature = "peers")]
pub use peers::{Libsrtp, RtcSrtp, Str0m, WebrtcSrtp};
pub use plain_copy::PlainCopy;
pub use schedule::Schedule;
pub use session::{Session, buffer};
pub use shuffle::shuffled;
pub use skywave::{COUNTERS_AHEAD, STATES_AHEAD, Skywave};
