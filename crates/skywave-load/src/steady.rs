//! An audience of one size after another, each measured once all are there.

use std::time::{Duration, Instant};

use crate::crowd::Crowd;
use crate::group::Group;
use crate::process::Size;
use crate::report::Audience;
use crate::{Error, Mode, Plan, window};

/// Tries the sizes until one does not hold.
pub(crate) fn run(
    crowd: &mut Crowd,
    plan: &Plan,
    server_before: Option<Size>,
) -> Result<Vec<Audience>, Error> {
    let Mode::Steady {
        steps,
        ramp,
        settle,
        time,
    } = &plan.mode
    else {
        return Ok(Vec::new());
    };
    let (mut audiences, mut there) = (Vec::new(), 0);
    for &listeners in steps {
        join(crowd, listeners.saturating_sub(there), *ramp)?;
        there = listeners.max(there);
        crowd.turn_for(*settle)?;
        let window = window::measure(crowd, Group::Steady, plan.pid, *time)?;
        let joins = crowd.take_joins(Group::Steady);
        let audience = Audience::judge(there as u64, joins, window, server_before);
        let held = audience.held;
        audiences.push(audience);
        if !held {
            break;
        }
    }
    Ok(audiences)
}

/// Lets so many join the steady audience at that rate, and waits until all have or have failed.
pub(crate) fn join(crowd: &mut Crowd, count: usize, rate: f64) -> Result<(), Error> {
    let start = Instant::now();
    for number in 0..count {
        let due = start + Duration::from_secs_f64(number as f64 / rate);
        while Instant::now() < due {
            crowd.turn(due)?;
        }
        crowd.join(Group::Steady);
    }
    crowd.turn_until_joined(Group::Steady)
}
