//! Drivers of real peers: what the black-box tests call skywave with.
//!
//! - [`AiortcPeer`]: an aiortc receiver in a child process, which reports every
//!   RTP and RTCP packet it decrypted and the tone it heard.
//! - [`Audience`]: the built `skywave-load` program: many listeners that count every packet, in a
//!   [`Namespace`] of their own or behind a [`RoughLink`].
//! - [`Browser`]: headless Chromium or Firefox over WebDriver BiDi, with real
//!   clicks and keys, so that autoplay rules apply as they do to a person.
//! - [`Example`]: a built example that serves WHEP.
//! - [`Flood`]: datagrams that nobody asked for.
//! - [`GstreamerPeer`]: a webrtcbin that answers an offer.
//! - [`Nginx`]: in front of a server.
//! - [`Recording`]: what GStreamer or Pion decoded.
//! - [`Relay`]: a path on which packets to a browser are lost.
//! - [`read_metrics`]: the reader of Prometheus' client for Python.
//! - [`Server`]: the built `skywave` program and its HTTP interface.
//! - [`overflowed`], [`unlooked_at`]: datagrams that the kernel lost.
//! - [`turn`]: one test at a time.
//!
//! The drivers are blocking, and they panic when a peer, a browser or the
//! program misbehaves: each call is also an assertion. Whatever they started
//! is killed when they are dropped, and its standard error is shown when the
//! test is failing. They do not install anything and judge nothing: the tests
//! do. The tests are built with the feature `interop` only.
//!
//! ```no_run
//! use skywave_tests::{AiortcPeer, Server};
//!
//! let server = Server::start("tone:440");
//! let mut peer = AiortcPeer::spawn();
//! let offer = peer.create_offer(&["opus"]);
//! let session = server.whep(&offer);
//! peer.accept_answer(&session.answer);
//! assert!((peer.tone(0.5).frequency - 440.0).abs() < 5.0);
//! ```

mod aiortc;
mod audience;
mod bidi;
mod browser;
mod child;
mod example;
mod flood;
mod gstreamer;
mod namespace;
mod nginx;
mod prometheus;
mod recording;
mod relay;
mod rough_link;
mod server;
mod turn;
mod udp_sockets;

pub use aiortc::{
    AiortcPeer, Bye, ReceiverReport, Report, RtcpReport, RtpReport, SenderReport, Tone,
};
pub use audience::{Audience, Heard};
pub use browser::{Browser, BrowserKind};
pub use example::Example;
pub use flood::Flood;
pub use gstreamer::GstreamerPeer;
pub use namespace::Namespace;
pub use nginx::Nginx;
pub use prometheus::read_metrics;
pub use recording::Recording;
pub use relay::Relay;
pub use rough_link::{RoughLink, Roughness};
pub use server::{Server, Session};
pub use turn::turn;
pub use udp_sockets::{UdpSocketInfo, overflowed, unlooked_at};
