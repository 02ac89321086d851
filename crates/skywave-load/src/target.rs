//! The WHEP endpoint under test, and the address from which it is heard.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};

use crate::Error;

/// A WHEP endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// As given.
    pub(crate) url: String,
    /// `http://HOST:PORT`
    origin: String,
    /// The first address of the host.
    pub(crate) ip: IpAddr,
    /// The address to prefer among the candidates.
    pub(crate) via: Option<IpAddr>,
    /// Of this machine, towards the server.
    pub(crate) local_ip: IpAddr,
}

impl Target {
    /// Looks the host up and finds out which address leads there.
    pub(crate) fn resolve(url: &str, via: Option<IpAddr>) -> Result<Self, Error> {
        let invalid = || Error::Url(url.to_owned());
        let rest = url.strip_prefix("http://").ok_or_else(invalid)?;
        let (authority, _) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host_and_port(authority).ok_or_else(invalid)?;
        let failed = |source| Error::Host {
            host: authority.to_owned(),
            source,
        };
        let mut addresses = host.to_socket_addrs().map_err(failed)?;
        let address = addresses
            .next()
            .ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
        let media = SocketAddr::new(via.unwrap_or(address.ip()), 9);
        Ok(Self {
            url: url.to_owned(),
            origin: format!("http://{authority}"),
            ip: address.ip(),
            via,
            local_ip: local_ip(media).map_err(failed)?,
        })
    }

    /// The URL of a session, as `Location` names it: whole, or relative to the endpoint.
    pub(crate) fn session(&self, location: &str) -> String {
        if location.contains("://") {
            location.to_owned()
        } else if location.starts_with('/') {
            format!("{}{location}", self.origin)
        } else {
            let folder = self.url.rfind('/').map_or(0, |at| at + 1);
            format!("{}{location}", &self.url[..folder])
        }
    }
}

/// The authority with the port that HTTP means without one.
fn host_and_port(authority: &str) -> Option<String> {
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let bare = authority.is_empty() || authority.contains('@');
    (!bare).then(|| match has_port {
        true => authority.to_owned(),
        false => format!("{authority}:80"),
    })
}

/// Asks the kernel for the way; nothing is sent.
fn local_ip(remote: SocketAddr) -> io::Result<IpAddr> {
    let any = match remote {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(remote)?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_found_whatever_form_the_location_has() {
        let target = Target::resolve("http://127.0.0.1:9001/live/whep", None).unwrap();
        assert_eq!(target.local_ip, IpAddr::from([127, 0, 0, 1]));
        for (location, url) in [
            ("/whep/1", "http://127.0.0.1:9001/whep/1"),
            ("1", "http://127.0.0.1:9001/live/1"),
            ("http://a/b", "http://a/b"),
        ] {
            assert_eq!(target.session(location), url);
        }
    }

    #[test]
    fn port_80_is_meant_where_there_is_none() {
        assert_eq!(host_and_port("h").as_deref(), Some("h:80"));
        assert_eq!(host_and_port("[::1]").as_deref(), Some("[::1]:80"));
        assert_eq!(host_and_port("[::1]:8080").as_deref(), Some("[::1]:8080"));
        assert_eq!(host_and_port(""), None);
    }

    #[test]
    fn other_schemes_are_refused() {
        for url in ["https://127.0.0.1/", "127.0.0.1:80", "http:///whep"] {
            assert!(matches!(Target::resolve(url, None), Err(Error::Url(_))));
        }
    }
}
