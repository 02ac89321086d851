//! `a=setup`: who starts the DTLS handshake (RFC 4145 §4, RFC 8842 §5.1). `holdconn` is refused.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::error::excerpt;

/// Who sends the ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Either; only an offer may say so.
    ActPass,
    /// The end that wrote this.
    Active,
    /// The other end.
    Passive,
}

impl FromStr for Setup {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "actpass" => Ok(Self::ActPass),
            "active" => Ok(Self::Active),
            "passive" => Ok(Self::Passive),
            _ => Err(Error::InvalidSetup(excerpt(text))),
        }
    }
}

/// The value of `a=setup`.
impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ActPass => "actpass",
            Self::Active => "active",
            Self::Passive => "passive",
        })
    }
}
