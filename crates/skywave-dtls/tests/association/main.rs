//! Two associations on a virtual clock, with a link between them that loses,
//! delays and forges.
#![allow(clippy::unwrap_used)]

mod client_hello;
mod closing;
mod fingerprint;
mod forgery;
mod handshake;
mod link;
mod loss;
mod other_client;
mod other_link;
mod recorded;
mod refusal;
mod rsa;
mod srtp_profile;
mod timers;
