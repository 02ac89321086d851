//! Why nothing was measured.

use std::io;

/// Why a test could not be made. What happens to single listeners is a [`Failure`](crate::Failure).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not one of HTTP that names a host.
    #[error("{0:?} is not a URL of the form http://HOST[:PORT]/PATH")]
    Url(String),
    /// The host has no address, or no route leads there.
    #[error("{host} cannot be reached: {source}")]
    Host {
        /// As in the URL.
        host: String,
        /// What the system said.
        source: io::Error,
    },
    /// The process of the server cannot be read.
    #[error("process {pid} cannot be read: {source}")]
    Process {
        /// As given.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The system allows fewer descriptors than there would be sockets.
    #[error(
        "{needed} descriptors are needed and {limit} allowed; raise the hard limit (ulimit -Hn)"
    )]
    Descriptors {
        /// How many there would be.
        needed: u64,
        /// The hard limit.
        limit: u64,
    },
    /// No certificate could be made.
    #[error("no certificate could be made: {0}")]
    Certificate(skywave_dtls::Error),
    /// The process could not be kept to this core.
    #[error("cannot run on core {core}: {source}")]
    Core {
        /// As given, from 0.
        core: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused a thread, an epoll or a wait.
    #[error(transparent)]
    System(#[from] io::Error),
}
