//! STUN and TURN servers that clients are told (RFC 9725 §4.6): one `Link` header each.

use std::fmt;
use std::str::FromStr;

use axum::http::HeaderValue;

use crate::Error;

/// A STUN or TURN server for clients to use. The server itself is reached at its own addresses
/// and needs none, but a client in a network that blocks UDP needs TURN.
///
/// Written `stun:stun.example.net` or `turns:turn.example.net?transport=tcp USER PASSWORD`.
/// `Debug` hides the password, which every client is told.
#[derive(Clone, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    /// User and password.
    account: Option<(String, String)>,
}

impl IceServer {
    /// The value of its `Link` header (RFC 8288).
    pub(crate) fn link(&self) -> Option<HeaderValue> {
        let mut link = format!("<{}>; rel=\"ice-server\"", self.url);
        if let Some((user, password)) = &self.account {
            link += &format!(
                "; username=\"{}\"; credential=\"{}\"; credential-type=\"password\"",
                quoted(user),
                quoted(password)
            );
        }
        HeaderValue::try_from(link).ok()
    }
}

impl FromStr for IceServer {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            // The rest may be a password.
            let url = text.split_whitespace().next().unwrap_or_default();
            Error::IceServer(url.to_owned())
        })
    }
}

impl fmt::Debug for IceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IceServer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn parse(text: &str) -> Option<IceServer> {
    let mut words = text.split_whitespace();
    let url = words.next()?;
    let (scheme, host) = url.split_once(':')?;
    let is_turn = match scheme {
        "stun" | "stuns" => false,
        "turn" | "turns" => true,
        _ => return None,
    };
    let is_clean = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let is_host =
        !host.is_empty() && !host.starts_with('/') && !host.contains(['<', '>', '"', ',']);
    let account = match (words.next(), words.next(), words.next()) {
        (None, None, None) => None,
        (Some(user), Some(password), None) => Some((user.to_owned(), password.to_owned())),
        _ => return None,
    };
    // RFC 8489 has accounts for TURN, and TURN is not had without.
    let sound = is_clean(text.replace(char::is_whitespace, "").as_str()) && is_host;
    (sound && is_turn == account.is_some()).then(|| IceServer {
        url: url.to_owned(),
        account,
    })
}

/// The inside of a quoted-string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str) -> String {
        let server: IceServer = text.parse().unwrap();
        server.link().unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn rfc9725_4_6_servers_are_links() {
        assert_eq!(
            link("stun:stun.example.net"),
            r#"<stun:stun.example.net>; rel="ice-server""#
        );
        assert_eq!(
            link(r#"turn:turn.example.net?transport=udp user pass"word"#),
            r#"<turn:turn.example.net?transport=udp>; rel="ice-server"; username="user"; credential="pass\"word"; credential-type="password""#
        );
    }

    #[test]
    fn what_is_no_server_is_refused_without_its_password() {
        for text in [
            "",
            "http://stun.example.net",
            "stun:",
            "stun://stun.example.net",
            "stun:a>;b",
            "stun:stun.example.net user password",
            "turn:turn.example.net",
            "turn:turn.example.net user",
            "turn:turn.example.net user s3cret more",
            "turn:turn.example.net user s\u{e9}cret",
        ] {
            let error = text.parse::<IceServer>().unwrap_err();
            assert!(!error.to_string().contains("cret"), "{error}");
        }
        let server: IceServer = "turn:t user s3cret".parse().unwrap();
        assert!(!format!("{server:?}").contains("s3cret"));
    }
}
