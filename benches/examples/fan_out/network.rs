//! Where the engine and its listeners are.

use std::net::{Ipv4Addr, SocketAddr};

use crate::null_device;

/// What packets go through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Network {
    /// Loopback: every listener has a socket that nobody reads, so that each packet costs the
    /// kernel's way out, its way in, and a drop.
    Loopback,
    /// A device that drops whatever it is to send, behind one gateway: only the way out. Listeners
    /// connect over loopback before.
    NullDevice,
}

impl Network {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Network::Loopback => "loopback",
            Network::NullDevice => "null device",
        }
    }

    /// Where the media port is opened.
    pub(crate) fn engine(self) -> SocketAddr {
        let ip = match self {
            Network::Loopback => Ipv4Addr::LOCALHOST,
            Network::NullDevice => null_device::HOST,
        };
        SocketAddr::from((ip, 0))
    }

    /// Where the listener of this number binds its socket.
    pub(crate) fn listener(self, number: usize) -> SocketAddr {
        let ip = match self {
            Network::Loopback => Ipv4Addr::LOCALHOST,
            // Far below 2^16 of them.
            Network::NullDevice => {
                Ipv4Addr::from_bits(null_device::LISTENERS.to_bits() + 1 + number as u32)
            }
        };
        SocketAddr::from((ip, 0))
    }

    /// Whether what is sent to listeners reaches them.
    pub(crate) fn reach_listeners(self, reach: bool) {
        if self == Network::NullDevice {
            null_device::reach_listeners(reach);
        }
    }
}
