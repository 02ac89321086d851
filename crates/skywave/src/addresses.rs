//! Which of this host's addresses a peer can be told.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// This host's addresses that may reach `wildcard`'s audience: all for `::`, those of IPv4 for
/// `0.0.0.0`. The most useful first: networks before loopback, IPv4 before IPv6.
///
/// Left out: link-local addresses, which mean nothing without an interface.
pub(crate) fn usable_addresses(wildcard: IpAddr) -> io::Result<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    let mut addresses: Vec<IpAddr> = interfaces.iter().map(if_addrs::Interface::ip).collect();
    addresses.retain(|address| is_usable(*address) && (wildcard.is_ipv6() || address.is_ipv4()));
    addresses.sort_by_key(|address| (address.is_loopback(), address.is_ipv6(), *address));
    addresses.dedup();
    addresses.truncate(MAX_ADDRESSES);
    Ok(addresses)
}

fn is_usable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => usable_v4(address),
        IpAddr::V6(address) => usable_v6(address),
    }
}

fn usable_v4(address: Ipv4Addr) -> bool {
    !(address.is_unspecified() || address.is_link_local() || address.is_multicast())
}

fn usable_v6(address: Ipv6Addr) -> bool {
    !(address.is_unspecified() || address.is_unicast_link_local() || address.is_multicast())
}

/// Addresses that are served at most: each has a socket and a line in every description.
pub(crate) const MAX_ADDRESSES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_usable_and_comes_last() {
        let all = usable_addresses(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).unwrap();
        let first_loopback = all.iter().position(IpAddr::is_loopback).unwrap();
        assert!(all[first_loopback..].iter().all(IpAddr::is_loopback));
        let v4 = usable_addresses(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).unwrap();
        assert!(v4.iter().all(IpAddr::is_ipv4));
    }

    #[test]
    fn link_local_addresses_are_left_out() {
        for address in [
            "169.254.1.1",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
        ] {
            assert!(!is_usable(address.parse().unwrap()), "{address}");
        }
        for address in ["127.0.0.1", "192.0.2.1", "10.1.2.3", "::1", "fd00::2"] {
            assert!(is_usable(address.parse().unwrap()), "{address}");
        }
    }
}
