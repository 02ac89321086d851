//! How many connections are open, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use skywave_whip::counted_address;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, mpsc};

use super::HttpLimits;

/// Counts the connections. The one that accepts them owns it.
pub(super) struct Door {
    places: Arc<Semaphore>,
    per_address: usize,
    inside: HashMap<IpAddr, usize>,
    leaving: mpsc::UnboundedSender<IpAddr>,
    left: mpsc::UnboundedReceiver<IpAddr>,
}

/// A connection's place, given back when dropped.
pub(super) struct Place {
    address: Option<IpAddr>,
    leaving: mpsc::UnboundedSender<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl Door {
    pub(super) fn new(limits: &HttpLimits) -> Self {
        let (leaving, left) = mpsc::unbounded_channel();
        Self {
            places: Arc::new(Semaphore::new(
                limits.connections.min(Semaphore::MAX_PERMITS),
            )),
            per_address: limits.connections_per_address,
            inside: HashMap::new(),
            leaving,
            left,
        }
    }

    /// Waits until fewer than all places are taken, and takes one.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.places).acquire_owned().await
    }

    /// Lets a client in, unless too many of its address are.
    pub(super) fn admit(&mut self, ip: IpAddr, permit: OwnedSemaphorePermit) -> Option<Place> {
        while let Ok(address) = self.left.try_recv() {
            if let Some(count) = self.inside.get_mut(&address) {
                *count -= 1;
                if *count == 0 {
                    self.inside.remove(&address);
                }
            }
        }
        let address = counted_address(ip);
        if let Some(address) = address {
            let count = self.inside.entry(address).or_default();
            if *count >= self.per_address {
                return None;
            }
            *count += 1;
        }
        Some(Place {
            address,
            leaving: self.leaving.clone(),
            _permit: permit,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(address) = self.address {
            // Nobody counts any more when the server is stopping.
            let _ = self.leaving.send(address);
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        limits: HttpLimits,
    }

    fn door(in_all: &str, per_address: &str) -> Door {
        let line = [
            "",
            "--http-connections",
            in_all,
            "--http-connections-per-address",
            per_address,
        ];
        Door::new(&Line::parse_from(line).limits)
    }

    async fn knock(door: &mut Door, ip: &str) -> Option<Place> {
        let permit = door.place().await.unwrap();
        door.admit(ip.parse().unwrap(), permit)
    }

    #[tokio::test]
    async fn flood_from_one_address_is_refused_and_others_come_in() {
        let mut door = door("100", "2");
        let first = knock(&mut door, "192.0.2.1").await;
        let second = knock(&mut door, "::ffff:192.0.2.1").await;
        assert!(first.is_some() && second.is_some());
        for _ in 0..200 {
            assert!(knock(&mut door, "192.0.2.1").await.is_none());
        }
        assert!(knock(&mut door, "192.0.2.2").await.is_some());
        drop(first);
        assert!(knock(&mut door, "192.0.2.1").await.is_some());
        drop(second);
    }

    #[tokio::test]
    async fn ipv6_is_counted_by_its_network() {
        let mut door = door("100", "1");
        let _first = knock(&mut door, "2001:db8::1").await;
        assert!(knock(&mut door, "2001:db8::ffff:1").await.is_none());
        assert!(knock(&mut door, "2001:db8:0:1::1").await.is_some());
    }

    #[tokio::test]
    async fn reverse_proxy_on_this_computer_is_not_counted() {
        let mut door = door("3", "1");
        let first = knock(&mut door, "127.0.0.1").await;
        let _second = knock(&mut door, "::1").await;
        let _third = knock(&mut door, "127.0.0.1").await.unwrap();
        assert_eq!(door.places.available_permits(), 0, "but all are in all");
        drop(first);
        assert_eq!(door.places.available_permits(), 1);
        assert!(door.inside.is_empty());
    }
}
