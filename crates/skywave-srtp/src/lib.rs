//! Protects and unprotects SRTP and SRTCP packets in place: RFC 3711 and RFC 7714, with encrypted
//! headers RFC 6904 or RFC 9335.
//!
//! The crate holds the four halves of an SRTP association: [`SrtpSender`], [`SrtcpSender`],
//! [`SrtpReceiver`] and [`SrtcpReceiver`]. Each is made from the [`MasterKey`] of its direction,
//! which a DTLS-SRTP handshake (RFC 5764) yields. Packets are transformed in the buffer they lie
//! in; the sending side does not allocate.
//!
//! What it does not do: it does not parse or write RTP beyond what the cryptography needs, does
//! not negotiate keys, holds no socket and no clock. There are no master key identifiers, no
//! key derivation rate other than 0, no NULL cipher; SRTCP that is not encrypted is refused.
//!
//! ```
//! use skywave_srtp::{MasterKey, Profile, SrtpReceiver, SrtpSender};
//!
//! let profile = Profile::AeadAes128Gcm;
//! let master = MasterKey::new(profile, &[7; 16], &[9; 12])?;
//! let mut sender = SrtpSender::new(&master);
//! let mut receiver = SrtpReceiver::new(&master);
//!
//! // Version 2, payload type 111, sequence number 1, timestamp 960, SSRC 0x1234, "hello".
//! let plain = b"\x80\x6f\x00\x01\x00\x00\x03\xc0\x00\x00\x12\x34hello";
//! let mut packet = [0; 64];
//! packet[..plain.len()].copy_from_slice(plain);
//!
//! let sealed = sender.protect(&mut packet, 12, plain.len())?;
//! assert_eq!(sealed, plain.len() + profile.rtp_overhead());
//! assert_ne!(&packet[12..17], b"hello");
//!
//! let opened = receiver.unprotect(&mut packet[..sealed]).expect("genuine and new");
//! assert_eq!(&packet[..opened], plain);
//! # Ok::<(), skywave_srtp::Error>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod aes_cm;
mod aes_gcm;
mod cipher;
mod counter_mode;
mod cryptex;
mod drop_reason;
mod element_cipher;
mod encrypted_portion;
mod error;
mod header_encryption;
mod header_protection;
mod hmac_sha1;
mod key_derivation;
mod master_key;
mod packet;
mod packet_index;
mod profile;
mod replay_list;
mod rtcp_keys;
mod rtp_header;
mod srtcp_receiver;
mod srtcp_sender;
mod srtp_receiver;
mod srtp_sender;
mod stream_index;
#[cfg(test)]
mod testing;

pub use drop_reason::DropReason;
pub use error::Error;
pub use header_encryption::{ExtensionIds, HeaderEncryption};
pub use master_key::MasterKey;
pub use profile::{MAX_RTCP_OVERHEAD, MAX_RTP_OVERHEAD, Profile};
pub use srtcp_receiver::SrtcpReceiver;
pub use srtcp_sender::SrtcpSender;
pub use srtp_receiver::SrtpReceiver;
pub use srtp_sender::SrtpSender;
pub use stream_index::StreamIndex;
