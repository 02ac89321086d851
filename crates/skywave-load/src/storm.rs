//! Joins at a fixed rate, beside listeners who are there already.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::crowd::Crowd;
use crate::group::Group;
use crate::process::Process;
use crate::report::{Storm, overload};
use crate::whep::Ticket;
use crate::window::Opened;
use crate::{Error, Mode, Plan, steady, window};

/// Listeners come at the rate and go when they have stayed.
pub(crate) fn run(crowd: &mut Crowd, plan: &Plan) -> Result<Storm, Error> {
    let (rate, stay, time, background) = match plan.mode {
        Mode::Storm {
            rate,
            stay,
            time,
            background,
        } => (rate.max(0.001), stay, time, background),
        _ => (1.0, Duration::ZERO, Duration::ZERO, 0),
    };
    let has_background = background > 0;
    let mut before = None;
    if has_background {
        steady::join(crowd, background, BACKGROUND_RATE)?;
        crowd.turn_for(SETTLE)?;
        before = Some(window::measure(crowd, Group::Steady, plan.pid, time)?);
    }
    let server = plan.pid.map(Process::read).transpose()?;
    let own = Process::read(std::process::id())?;
    let during = Opened::new(crowd, Group::Steady, plan.pid)?;
    crowd.measure(Group::Passing);
    let mut visitors = Visitors::new(stay);
    visitors.come(crowd, rate, time)?;
    let during = during.close(crowd)?;
    let own_cpu = Process::read(std::process::id())?.cpu_since(&own);
    let server_cpu = match (plan.pid, server) {
        (Some(pid), Some(server)) => Some(Process::read(pid)?.cpu_since(&server)),
        _ => None,
    };
    visitors.go(crowd)?;
    let joins = crowd.take_joins(Group::Passing);
    Ok(Storm {
        rate,
        refused_as_full: joins.failures.get("HTTP 503").copied().unwrap_or(0),
        joins,
        before,
        during: has_background.then_some(during),
        passing: crowd.take_figures(Group::Passing).summary(),
        server_cpu,
        remarks: overload(&own_cpu),
        own_cpu,
    })
}

/// Those who come and go.
struct Visitors {
    stay: Duration,
    /// When who goes, in the order of their coming.
    leaving: VecDeque<(Instant, Ticket)>,
}

impl Visitors {
    fn new(stay: Duration) -> Self {
        Self {
            stay,
            leaving: VecDeque::new(),
        }
    }

    /// Lets them come at their times, whatever became of those before.
    fn come(&mut self, crowd: &mut Crowd, rate: f64, time: Duration) -> Result<(), Error> {
        let start = Instant::now();
        let count = (rate * time.as_secs_f64()).round() as u64;
        for number in 0..count {
            let due = start + Duration::from_secs_f64(number as f64 / rate);
            while Instant::now() < due {
                self.turn(crowd, due)?;
            }
            crowd.join(Group::Passing);
        }
        let end = start + time;
        while Instant::now() < end {
            self.turn(crowd, end)?;
        }
        Ok(())
    }

    /// Waits until the last has left.
    fn go(&mut self, crowd: &mut Crowd) -> Result<(), Error> {
        while crowd.joining(Group::Passing) > 0 || !self.leaving.is_empty() {
            self.turn(crowd, Instant::now() + Duration::from_millis(20))?;
        }
        crowd.turn_until_answered()
    }

    fn turn(&mut self, crowd: &mut Crowd, until: Instant) -> Result<(), Error> {
        let first = self
            .leaving
            .front()
            .map_or(until, |(due, _)| until.min(*due));
        crowd.turn(first)?;
        let now = Instant::now();
        for ticket in crowd.take_arrived(Group::Passing) {
            self.leaving.push_back((now + self.stay, ticket));
        }
        while self.leaving.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((_, ticket)) = self.leaving.pop_front() {
                crowd.leave(ticket);
            }
        }
        crowd.clear_failed(Group::Passing);
        Ok(())
    }
}

/// Joins a second of those who are there before.
const BACKGROUND_RATE: f64 = 200.0;
const SETTLE: Duration = Duration::from_secs(2);
