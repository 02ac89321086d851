//! What is to be measured.

use std::error::Error;
use std::thread;
use std::time::Duration;

use skywave::{OpusComplexity, Ptime};

pub(crate) struct Arguments {
    pub(crate) tracks: usize,
    pub(crate) duration: Duration,
    pub(crate) ptime: Ptime,
    pub(crate) complexity: OpusComplexity,
    /// Encoder threads.
    pub(crate) threads: usize,
    /// Each of them keeps to a core.
    pub(crate) pin: bool,
    pub(crate) stereo: bool,
}

impl Arguments {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut arguments = Self {
            tracks: 300,
            duration: Duration::from_secs(20),
            ptime: Ptime::default(),
            complexity: OpusComplexity::default(),
            threads: thread::available_parallelism().map_or(1, usize::from),
            pin: false,
            stereo: false,
        };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let mut number = || -> Result<u32, Box<dyn Error>> {
                let value = words.next().ok_or(format!("{word} needs a number"))?;
                Ok(value.parse()?)
            };
            match word.as_str() {
                "--tracks" => arguments.tracks = number()?.max(1) as usize,
                "--seconds" => arguments.duration = Duration::from_secs(number()?.max(1).into()),
                "--threads" => arguments.threads = number()?.max(1) as usize,
                "--complexity" => {
                    arguments.complexity = OpusComplexity::new(u8::try_from(number()?)?)?;
                }
                "--ptime" => {
                    let wanted = words.next().ok_or("--ptime needs a number")?;
                    let is_wanted = |ptime: &Ptime| ptime.to_string() == wanted;
                    let ptime = Ptime::ALL.into_iter().find(is_wanted);
                    arguments.ptime = ptime.ok_or("--ptime is 2.5, 5, 10, 20, 40, 60 to 120")?;
                }
                "--pin" => arguments.pin = true,
                "--stereo" => arguments.stereo = true,
                _ => return Err(format!("{word} is not known").into()),
            }
        }
        Ok(arguments)
    }

    /// What the listeners say of the codec.
    pub(crate) fn terms(&self) -> &'static str {
        if self.stereo {
            "a=fmtp:111 stereo=1\r\n"
        } else {
            ""
        }
    }
}
