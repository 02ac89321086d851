//! Waves of listeners that come, hear something and go.

use std::time::Instant;

use crate::crowd::Crowd;
use crate::group::Group;
use crate::process::Process;
use crate::report::{Churn, overload};
use crate::run::server_size;
use crate::{Error, Mode, Plan};

/// Lets waves come and go until all have been there.
pub(crate) fn run(crowd: &mut Crowd, plan: &Plan) -> Result<Churn, Error> {
    let (total, at_a_time) = match plan.mode {
        Mode::Churn { total, at_a_time } => (total, at_a_time.max(1)),
        _ => (0, 1),
    };
    let own = Process::read(std::process::id())?;
    let start = Instant::now();
    let (mut come, mut early_after, mut early) = (0, 0, None);
    while come < total {
        let wave = at_a_time.min(total - come);
        for _ in 0..wave {
            crowd.join(Group::Passing);
        }
        crowd.turn_until_joined(Group::Passing)?;
        crowd.leave_all(Group::Passing);
        crowd.turn_until_answered()?;
        come += wave;
        if early_after == 0 && come >= FIRST.min(total) {
            early_after = come;
            early = server_size(plan)?;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    let own_cpu = Process::read(std::process::id())?.cpu_since(&own);
    Ok(Churn {
        joins: crowd.take_joins(Group::Passing),
        at_a_time: at_a_time as u64,
        seconds,
        early_after: early_after as u64,
        early,
        late: server_size(plan)?,
        refused_farewells: crowd.refused_farewells(),
        remarks: overload(&own_cpu),
        own_cpu,
    })
}

/// Joins after which what is still to grow is a leak: the server's pools are filled.
const FIRST: usize = 1000;
