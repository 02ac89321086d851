//! Options with a secret in them: what is wrong with one is said without repeating it.

use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

/// Reads a value as its [`FromStr`] does. The parsers of clap would print a wrong one.
#[derive(Clone)]
pub(crate) struct Secret<T>(PhantomData<T>);

pub(crate) fn secret<T>() -> Secret<T> {
    Secret(PhantomData)
}

impl<T> TypedValueParser for Secret<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, text: &OsStr) -> Result<T, Error> {
        let text = text.to_str().unwrap_or_default();
        text.parse().map_err(|reason: T::Err| {
            let name = arg.map(ToString::to_string).unwrap_or_default();
            let sentence = format!("invalid value for '{name}': {reason}\n");
            Error::raw(ErrorKind::ValueValidation, sentence).with_cmd(command)
        })
    }
}
