//! Listeners that are on their way in, by the address that their offers came from: nobody has all
//! places for handshakes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, StatusCode};
use tokio::sync::Mutex;

use crate::Problem;

/// Counts those who have an answer and are not connected yet.
pub(crate) struct Joining {
    per_address: usize,
    /// Of each address as many clones as places are taken.
    places: Mutex<HashMap<IpAddr, Arc<()>>>,
}

/// A listener's place, given back when dropped.
pub(crate) struct JoiningPlace {
    _held: Option<Arc<()>>,
}

impl Joining {
    pub(crate) fn new(per_address: usize) -> Self {
        Self {
            per_address,
            places: Mutex::default(),
        }
    }

    /// Takes a place for the client of a request, unless too many of its address are taken. Who
    /// comes from an unknown address, or this computer, is not counted.
    pub(crate) async fn place(&self, request: &Extensions) -> Result<JoiningPlace, Problem> {
        let client = request.get::<ConnectInfo<SocketAddr>>();
        let address = client.and_then(|ConnectInfo(client)| counted_address(client.ip()));
        let Some(address) = address else {
            return Ok(JoiningPlace { _held: None });
        };
        let mut places = self.places.lock().await;
        // As many as join at the moment are left.
        places.retain(|_, place| Arc::strong_count(place) > 1);
        let place = places.entry(address).or_default();
        if Arc::strong_count(place) > self.per_address {
            let detail = "Too many listeners from your address are just coming in.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
            return Err(problem.with_retry_after(RETRY));
        }
        Ok(JoiningPlace {
            _held: Some(Arc::clone(place)),
        })
    }
}

/// What a client is counted by: not at all on this computer, where it may be a reverse proxy; of
/// IPv6 by its /64, where one customer has as many addresses as they like.
pub fn counted_address(ip: IpAddr) -> Option<IpAddr> {
    match ip.to_canonical() {
        ip if ip.is_loopback() => None,
        IpAddr::V4(ip) => Some(ip.into()),
        IpAddr::V6(ip) => Some(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into()),
    }
}

/// Who has a path is in within a second or two.
const RETRY: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    async fn join(joining: &Joining, ip: &str) -> Result<JoiningPlace, Problem> {
        let mut extensions = Extensions::new();
        let client = SocketAddr::new(ip.parse().unwrap(), 50_000);
        extensions.insert(ConnectInfo(client));
        joining.place(&extensions).await
    }

    #[tokio::test]
    async fn places_are_counted_by_address_and_given_back() {
        let joining = Joining::new(2);
        let first = join(&joining, "192.0.2.1").await.unwrap();
        let _second = join(&joining, "::ffff:192.0.2.1").await.unwrap();
        let refused = join(&joining, "192.0.2.1").await.err().unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(join(&joining, "192.0.2.2").await.is_ok());
        drop(first);
        assert!(join(&joining, "192.0.2.1").await.is_ok());
        assert_eq!(joining.places.lock().await.len(), 1, "others are forgotten");
    }

    #[tokio::test]
    async fn ipv6_is_counted_by_its_network_and_this_computer_not_at_all() {
        let joining = Joining::new(1);
        let _first = join(&joining, "2001:db8::1").await.unwrap();
        assert!(join(&joining, "2001:db8::ffff:1").await.is_err());
        assert!(join(&joining, "2001:db8:0:1::1").await.is_ok());
        let _here = join(&joining, "127.0.0.1").await.unwrap();
        assert!(join(&joining, "::1").await.is_ok());
        assert!(joining.place(&Extensions::new()).await.is_ok());
    }
}
