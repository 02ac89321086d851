//! `a=fmtp` (RFC 8866 §6.15): the parameters of a format.

/// Parameters of a format in the order written; empty if the peer wrote none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fmtp {
    /// Name and value; the value is empty where there was no `=`, as in `0-15`.
    pub parameters: Vec<(String, String)>,
}

impl Fmtp {
    /// The value of the first parameter of that name, without regard to case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Reads the value of `a=fmtp` without its payload type.
    pub(crate) fn parse(text: &str) -> Self {
        let parameters = text
            .split(';')
            .map(str::trim)
            .filter(|parameter| !parameter.is_empty())
            .map(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                (name.trim().to_owned(), value.trim().to_owned())
            })
            .collect();
        Self { parameters }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_whatever_their_case_and_spacing() {
        let fmtp = Fmtp::parse("minptime=10; useInbandFEC=1;;stereo = 0 ;");
        assert_eq!(fmtp.parameters.len(), 3);
        assert_eq!(fmtp.parameter("useinbandfec"), Some("1"));
        assert_eq!(fmtp.parameter("stereo"), Some("0"));
        assert_eq!(fmtp.parameter("maxplaybackrate"), None);
    }

    #[test]
    fn value_without_a_name_is_kept() {
        assert_eq!(Fmtp::parse("0-15").parameter("0-15"), Some(""));
        assert_eq!(Fmtp::parse(" "), Fmtp::default());
    }
}
