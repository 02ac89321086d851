//! DTLS-SRTP keying: a handshake in, SRTP keys and a checked peer out.
//!
//! An [`Identity`] is the own certificate; its [`Fingerprint`] goes into the
//! session description. A [`Dtls`] is one association: datagrams and the time go
//! in, datagrams and [`Event`]s come out, and after [`Event::Connected`]
//! [`Dtls::verify`] hands out the [`SrtpKeys`] if the peer's certificate matches
//! the fingerprints it signalled. DTLS 1.2 (RFC 6347) and 1.3 (RFC 9147) are
//! spoken in both roles, with ECDSA certificates (a client of DTLS 1.2 may have an RSA
//! one, from 2,048 bits) and the SRTP profiles
//! `SRTP_AES128_CM_HMAC_SHA1_80`, `SRTP_AEAD_AES_128_GCM` and
//! `SRTP_AEAD_AES_256_GCM` (RFC 5764, RFC 7714).
//!
//! What it does not do:
//! - open a socket, read a clock or wait; randomness is drawn inside, by aws-lc,
//!   for [`Identity::generate`] and by the handshake for its keys and nonces
//! - check that the peer's address is its own: no cookie is asked for, since
//!   ICE (RFC 8445) did so before
//! - RSA certificates of DTLS 1.3 peers and of servers, PSK, session resumption,
//!   renegotiation, connection identifiers
//! - the SRTP profile `SRTP_AES128_CM_HMAC_SHA1_32`, which the engine does not have
//! - application data: what arrives is ignored
//! - chains of trust: a certificate is as good as its fingerprint (RFC 8122)
//!
//! ```
//! use std::time::{Instant, SystemTime};
//! use skywave_dtls::{Dtls, Event, Identity, Role};
//!
//! let now = Instant::now();
//! let ours = Identity::generate(SystemTime::now())?;
//! let theirs = Identity::generate(SystemTime::now())?;
//! let mut server = Dtls::new(&ours, Role::Server, now);
//! let mut client = Dtls::new(&theirs, Role::Client, now);
//!
//! let mut to_server: Vec<Vec<u8>> = Vec::new();
//! client.start(now, &mut |datagram| to_server.push(datagram.to_vec()))?;
//! let mut connected = false;
//! while !connected {
//!     let mut to_client: Vec<Vec<u8>> = Vec::new();
//!     for datagram in std::mem::take(&mut to_server) {
//!         let event =
//!             server.handle_datagram(now, &datagram, &mut |d| to_client.push(d.to_vec()))?;
//!         connected |= event == Some(Event::Connected);
//!     }
//!     for datagram in to_client {
//!         client.handle_datagram(now, &datagram, &mut |d| to_server.push(d.to_vec()))?;
//!     }
//! }
//! let keys = server.verify(&[theirs.fingerprint()])?;
//! assert_eq!(keys.local_key().len(), 32);
//! # Ok::<(), skywave_dtls::Error>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod certificate_request;
mod cipher_suite;
mod cold_cipher;
mod crypto_provider;
mod dtls;
mod engine;
mod engine_clock;
mod error;
mod fingerprint;
mod handshake_key;
mod identity;
mod last_flight;
mod record;
mod srtp_keys;

pub use cipher_suite::CipherSuite;
pub use dtls::{Dtls, Event, Role, Version};
pub use error::Error;
pub use fingerprint::{Fingerprint, HashAlgorithm};
pub use identity::Identity;
pub use srtp_keys::SrtpKeys;
