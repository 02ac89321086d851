//! What the system allows this process, told when it starts.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skywave::{EngineConfig, Scheduling, ShardStats};

/// Lets the process open as many descriptors as the system allows at all; how many that is. None
/// stands for any number.
#[cfg(unix)]
pub(crate) fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// Windows limits memory, not descriptors.
#[cfg(not(unix))]
pub(crate) fn raise_descriptors() -> Option<u64> {
    None
}

/// Logs the limits, and what to do about those that are too low for what was asked.
pub(crate) fn report(
    descriptors: Option<u64>,
    http_connections: usize,
    config: &EngineConfig,
    shards: &[ShardStats],
) {
    let wanted = http_connections as u64 + OTHER_DESCRIPTORS;
    if let Some(few) = descriptors.filter(|&limit| limit < wanted) {
        tracing::warn!(
            "only {few} files may be open, which {http_connections} HTTP connections exceed: \
             raise `ulimit -n` or lower --http-connections"
        );
    }
    let descriptors = descriptors.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    for (number, shard) in shards.iter().enumerate() {
        tracing::info!(
            shard = number,
            %descriptors,
            receive_buffer = shard.receive_buffer,
            send_buffer = shard.send_buffer,
            realtime = shard.scheduling == Scheduling::Realtime,
            "limits"
        );
        let granted = shard.receive_buffer.min(shard.send_buffer);
        if granted < config.socket_buffer {
            tracing::warn!(
                "UDP buffers of {granted} bytes hold 20 ms of {} listeners; for more: \
                 sysctl -w net.core.rmem_max={asked} net.core.wmem_max={asked}",
                granted / BYTES_PER_LISTENER,
                asked = config.socket_buffer
            );
        }
    }
}

/// Standard streams, sockets of the media ports, files that play.
pub(crate) const OTHER_DESCRIPTORS: u64 = 128;

/// What a datagram of some 200 bytes takes of a socket's buffer on Linux.
pub(crate) const BYTES_PER_LISTENER: usize = 768;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_raised_to_what_is_told() {
        let told = raise_descriptors();
        assert_eq!(getrlimit(Resource::Nofile).current, told);
    }
}
