//! The command line.

use std::net::IpAddr;
use std::time::Duration;

use clap::{ArgGroup, Parser};
use skywave_load::{Mode, Plan};

/// Lets thousands of listeners listen to a WHEP endpoint and tells what they hear and what the
/// server costs.
#[derive(Debug, Parser)]
#[command(name = "skywave-load", version, after_help = EXAMPLES)]
#[command(group = ArgGroup::new("mode").args(["listeners", "step", "churn", "join_rate"]))]
pub(crate) struct Args {
    /// The WHEP endpoint, http://HOST[:PORT]/PATH
    url: String,

    /// The server's process, for its CPU and memory
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// Listeners of the audience
    #[arg(long, value_name = "N", default_value_t = 100)]
    listeners: usize,

    /// Sizes of the audience, tried one after another until one does not hold
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    step: Vec<usize>,

    /// Joins a second of the audience
    #[arg(long, value_name = "R", default_value_t = 200.0, value_parser = rate)]
    ramp: f64,

    /// Seconds from the last join to the measurement
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    settle: Duration,

    /// Seconds to measure, or to go on joining with --join-rate
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    seconds: Duration,

    /// So many joins in waves, then what the server kept of them
    #[arg(long, value_name = "TOTAL")]
    churn: Option<usize>,

    /// Listeners of a wave
    #[arg(long, value_name = "N", default_value_t = 500, requires = "churn")]
    at_a_time: usize,

    /// Joins a second, however the server fares
    #[arg(long, value_name = "R", value_parser = rate)]
    join_rate: Option<f64>,

    /// Seconds that each of them stays
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    stay: Duration,

    /// Listeners who are there before and while others join and leave
    #[arg(long, value_name = "N", default_value_t = 0, requires = "join_rate")]
    background: usize,

    /// The address to prefer among the server's candidates [default: the one in the URL]
    #[arg(long, value_name = "IP")]
    via: Option<IpAddr>,

    /// HTTP connections, which is how many offers are under way at a time
    #[arg(long, value_name = "N", default_value_t = 32)]
    connections: usize,

    /// Authenticate one packet of so many, beside the first three of each listener
    #[arg(long, value_name = "N", default_value_t = 64)]
    sample: u32,

    /// Seconds that a listener waits for its first packet before it has failed
    #[arg(long, value_name = "S", default_value = "15", value_parser = seconds)]
    patience: Duration,

    /// Keep this program to one core, from 0
    #[arg(long, value_name = "CORE")]
    pub(crate) cpu: Option<usize>,

    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Args {
    pub(crate) fn plan(&self) -> Plan {
        Plan {
            via: self.via,
            pid: self.pid,
            connections: self.connections,
            sample: self.sample,
            patience: self.patience,
            ..Plan::new(&self.url, self.mode())
        }
    }

    fn mode(&self) -> Mode {
        if let Some(total) = self.churn {
            return Mode::Churn {
                total,
                at_a_time: self.at_a_time,
            };
        }
        if let Some(rate) = self.join_rate {
            return Mode::Storm {
                rate,
                stay: self.stay,
                time: self.seconds,
                background: self.background,
            };
        }
        let steps = match self.step[..] {
            [] => vec![self.listeners],
            _ => self.step.clone(),
        };
        Mode::Steady {
            steps,
            ramp: self.ramp,
            settle: self.settle,
            time: self.seconds,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let is_rate = rate.is_finite() && rate >= 0.001;
    is_rate
        .then_some(rate)
        .ok_or_else(|| "not a rate of 0.001 or more".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  skywave-load http://127.0.0.1:8080/whep --pid 4711 --listeners 2000
  skywave-load http://127.0.0.1:8080/whep --step 1000,2000,4000 --cpu 1
  skywave-load http://127.0.0.1:8080/whep --pid 4711 --churn 20000 --at-a-time 500
  skywave-load http://127.0.0.1:8080/whep --join-rate 300 --background 1000

Ends with 0 if everything held, 1 if not, 2 if nothing could be measured.";

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(options: &str) -> Mode {
        let line = format!("skywave-load http://a/ {options}");
        let args = Args::try_parse_from(line.split_whitespace()).unwrap();
        args.plan().mode
    }

    #[test]
    fn options_name_the_mode() {
        assert!(matches!(mode(""), Mode::Steady { steps, .. } if steps == [100]));
        assert!(matches!(mode("--step 5,9"), Mode::Steady { steps, .. } if steps == [5, 9]));
        assert!(matches!(
            mode("--churn 9 --at-a-time 3"),
            Mode::Churn {
                total: 9,
                at_a_time: 3
            }
        ));
        let storm = mode("--join-rate 50 --background 7 --stay 0.5");
        assert!(matches!(storm, Mode::Storm { background: 7, .. }));
    }

    #[test]
    fn modes_exclude_each_other() {
        for options in ["--churn 9 --step 3", "--join-rate 0", "--background 3"] {
            let line = format!("skywave-load http://a/ {options}");
            assert!(Args::try_parse_from(line.split_whitespace()).is_err());
        }
    }
}
