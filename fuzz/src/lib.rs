//! The fuzz targets as plain functions, one a file: bytes of a stranger in, a panic where a promise
//! is broken. Each tells whether the bytes were any good.
//!
//! The programs in `fuzz_targets/` call them under libFuzzer (`cargo xtask fuzz`); the test
//! `replay` calls them on stable Rust with `seeds/`, captured input, and `known_bad/`.
//!
//! ```
//! assert!(!skywave_fuzz::sdp_offer(b"v=0\r\n"), "nothing to answer");
//! ```

mod audience;
mod dtls_record;
mod far_end;
mod header_extensions;
mod http_body;
mod peer_datagram;
mod red;
mod rtcp;
mod rtp_packet;
mod sdp_answer;
mod sdp_offer;
mod srtp_session;
mod srtp_unprotect;
mod stun;
mod view;

pub use dtls_record::dtls_record;
pub use header_extensions::header_extensions;
pub use http_body::http_body;
pub use peer_datagram::peer_datagram;
pub use red::red;
pub use rtcp::rtcp;
pub use rtp_packet::rtp_packet;
pub use sdp_answer::sdp_answer;
pub use sdp_offer::sdp_offer;
pub use srtp_session::srtp_session;
pub use srtp_unprotect::srtp_unprotect;
pub use stun::stun;
