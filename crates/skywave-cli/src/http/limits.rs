//! How much of this server a client may take.

use std::time::Duration;

/// How much of this server a client may take.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HttpLimits {
    /// HTTP connections at a time; more wait until one of them ends
    #[arg(
        long = "http-connections",
        global = true,
        value_name = "N",
        default_value_t = 512,
        value_parser = one_or_more
    )]
    pub(crate) connections: usize,

    /// HTTP connections at a time from one address (of IPv6, from one /64); more are closed at
    /// once. Those from this computer are not counted: they may be a reverse proxy's
    #[arg(
        long = "http-connections-per-address",
        global = true,
        value_name = "N",
        default_value_t = 64,
        value_parser = one_or_more
    )]
    pub(crate) connections_per_address: usize,

    /// Listeners from one address (of IPv6, from one /64) that may be on their way in at a time,
    /// with an answer and not connected yet; more are told to come back (429). Those from this
    /// computer are not counted: they may be a reverse proxy's
    #[arg(
        long = "http-handshakes-per-address",
        global = true,
        value_name = "N",
        default_value_t = 100,
        value_parser = one_or_more
    )]
    pub(crate) handshakes_per_address: usize,

    /// Bytes that the head of a request may have, at least 8192; more is answered with 431
    #[arg(long = "http-header-bytes", global = true, value_name = "BYTES", default_value_t = 16 * 1024, value_parser = clap::value_parser!(u32).range(8192..))]
    pub(crate) header_bytes: u32,

    /// Header fields that a request may have; more is answered with 431
    #[arg(
        long = "http-headers",
        global = true,
        value_name = "N",
        default_value_t = 100,
        value_parser = one_or_more
    )]
    pub(crate) headers: usize,

    /// Bytes that the body of a request may have; more is answered with 413
    #[arg(long = "http-body-bytes", global = true, value_name = "BYTES", default_value_t = 64 * 1024)]
    pub(crate) body_bytes: usize,

    /// Seconds from the start of a connection, or the last answer on it, to the end of a
    /// request's head; of a TLS handshake too
    #[arg(long = "http-header-timeout", global = true, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub(crate) header_timeout: Duration,

    /// Seconds for all of a request that follows its head. Opening a source is part of it
    #[arg(long = "http-request-timeout", global = true, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) request_timeout: Duration,

    /// Seconds that a connection may be open with no request under way
    #[arg(long = "http-idle-timeout", global = true, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) idle_timeout: Duration,

    /// Requests under way at a time on one HTTP/2 connection
    #[arg(long = "http2-streams", global = true, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) http2_streams: u32,
}

/// A time of more than nothing, in seconds or parts of them.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| *time <= MAX_TIME)
        .ok_or_else(|| "must be more than 0 seconds and at most a day".to_owned())
}

/// None at all would lock everybody out.
fn one_or_more(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a whole number from 1 on".to_owned())
}

const MAX_TIME: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_up_to_a_day() {
        assert_eq!(seconds("15"), Ok(Duration::from_secs(15)));
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["", "0", "-1", "NaN", "inf", "1e30", "86401", "5s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
