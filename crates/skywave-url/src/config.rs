//! Everything that can be set, with its default.

use std::time::Duration;

/// How a [`UrlSource`](crate::UrlSource) connects and buffers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlConfig {
    /// How much must be decoded before it plays, at the beginning and after it
    /// ran dry. More survives longer gaps and is heard later. Default: 1 s.
    pub start_buffer: Duration,
    /// How much is decoded ahead at most, 384 kB a second; at least
    /// [`start_buffer`](Self::start_buffer). Default: 10 s.
    pub max_buffer: Duration,
    /// How long to wait for a connection, TLS included, and for the head of an
    /// answer. Default: 10 s.
    pub connect_timeout: Duration,
    /// How long a stream may send nothing before it is given up. Default: 15 s.
    pub stall_timeout: Duration,
    /// The wait before the first attempt to connect again. It doubles with each
    /// attempt in vain, up to [`max_retry_delay`](Self::max_retry_delay), and is
    /// varied by a quarter. Default: 500 ms.
    pub min_retry_delay: Duration,
    /// The longest wait before an attempt. Default: 30 s.
    pub max_retry_delay: Duration,
    /// Attempts in vain, one after another, after which the source ends. A stream
    /// that played for 10 s counts as success. Default: none, it tries for ever.
    pub max_retries: Option<u32>,
    /// Whether a file, which unlike a stream has an end, is fetched and played
    /// again after it. Default: false, then the source ends.
    pub repeat: bool,
    /// Redirections followed, lists (M3U, PLS) included. Default: 5.
    pub max_redirects: u8,
}

impl Default for UrlConfig {
    fn default() -> Self {
        Self {
            start_buffer: Duration::from_secs(1),
            max_buffer: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(15),
            min_retry_delay: Duration::from_millis(500),
            max_retry_delay: Duration::from_secs(30),
            max_retries: None,
            repeat: false,
            max_redirects: 5,
        }
    }
}
