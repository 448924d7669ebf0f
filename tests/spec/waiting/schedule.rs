//! What is next, in simulated time: any number of things, any pace, calls that take any time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cancel_machine_action::call::pace::Pacer;
use cancel_machine_action::waiting::schedule::{Schedule, Turn};
use proptest::prelude::*;

/// Whatever is simulated ends before.
const MOST_TURNS: usize = 10_000;

/// Things that are begun one after the other, and looked at until each has had its looks.
#[derive(Clone, Debug)]
struct Plan {
    /// How long after the one before each thing comes, and the pauses before each look at it, in milliseconds.
    things: Vec<(u64, Vec<u64>)>,
    /// How many are begun and not ended at most.
    window: usize,
    per_minute: u32,
    per_hour: u32,
    /// How long calls take, in turn, in milliseconds.
    calls: Vec<u64>,
    /// At some calls the service asks for a pause: its number, and how long, in milliseconds.
    asked: BTreeMap<usize, u64>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let pauses = prop::collection::vec(0..20_000u64, 1..6);
    let things = prop::collection::vec((0..3000u64, pauses), 1..60);
    let per_minute = prop_oneof![Just(0u32), 1..200u32];
    let per_hour = prop_oneof![Just(0u32), 50..2000u32];
    let calls = prop::collection::vec(0..3000u64, 1..20);
    let asked = prop::collection::btree_map(0..200usize, 0..120_000u64, 0..4);
    let settings = (1..100usize, per_minute, per_hour);
    (things, settings, calls, asked).prop_map(
        |(things, (window, per_minute, per_hour), calls, asked)| Plan {
            things,
            window,
            per_minute,
            per_hour,
            calls,
            asked,
        },
    )
}

/// A turn that was taken, and what waited for one then.
#[derive(Debug)]
struct Taken {
    at: Duration,
    turn: Turn,
    may_begin: bool,
    /// When each thing was due that was watched before the turn.
    due: BTreeMap<u64, Duration>,
}

/// Works off `plan` as a batch does, but for the clock.
fn work_off(plan: &Plan) -> Vec<Taken> {
    let begin = Instant::now();
    let mut now = begin;
    let mut pacer = Pacer::new(plan.per_minute, plan.per_hour);
    let mut schedule = Schedule::default();
    let mut due = BTreeMap::new();
    let mut looks: BTreeMap<u64, usize> = BTreeMap::new();
    let (mut begun, mut comes) = (0, begin + Duration::from_millis(plan.things[0].0));
    let mut taken: Vec<Taken> = Vec::new();
    while taken.len() < MOST_TURNS {
        let has_more = begun < plan.things.len() && looks.len() < plan.window;
        let may_begin = has_more && comes <= now;
        let next = schedule
            .next_due()
            .into_iter()
            .chain(has_more.then_some(comes))
            .min();
        match next {
            None => return taken,
            Some(at) if at > now => {
                now = at;
                continue;
            }
            Some(_) => {}
        }
        let pause = pacer.wait(now);
        if !pause.is_zero() {
            now += pause;
            continue;
        }
        let before = due.clone();
        let turn = schedule.next(now, may_begin).expect("something is due");
        let number = match turn {
            Turn::Look(number) => number,
            Turn::Begin => {
                begun += 1;
                if let Some((after, _)) = plan.things.get(begun) {
                    comes = now + Duration::from_millis(*after);
                }
                begun as u64
            }
        };
        pacer.called(now);
        if let Some(asked) = plan.asked.get(&taken.len()) {
            pacer.pause(now, Duration::from_millis(*asked));
        }
        taken.push(Taken {
            at: now - begin,
            turn,
            may_begin,
            due: before,
        });
        now += Duration::from_millis(plan.calls[taken.len() % plan.calls.len()]);
        due.remove(&number);
        let count = looks.entry(number).or_default();
        match plan.things[number as usize - 1].1.get(*count) {
            Some(pause) => {
                *count += 1;
                let at = now + Duration::from_millis(*pause);
                schedule.add(number, at);
                due.insert(number, at - begin);
            }
            None => {
                looks.remove(&number);
            }
        }
    }
    panic!("it does not end");
}

fn most_within(window: Duration, taken: &[Taken]) -> usize {
    let within = |(index, first): (usize, &Taken)| {
        let rest = taken[index..].iter();
        rest.take_while(|call| call.at < first.at + window).count()
    };
    taken
        .iter()
        .enumerate()
        .map(within)
        .max()
        .unwrap_or_default()
}

proptest! {
    #[test]
    fn no_look_is_made_before_it_is_due_and_what_is_due_longest_comes_first(plan in plan()) {
        for Taken { at, turn, due, .. } in work_off(&plan) {
            if let Turn::Look(number) = turn {
                prop_assert!(due[&number] <= at);
                prop_assert!(due.values().all(|other| due[&number] <= *other));
            }
        }
    }

    #[test]
    fn everything_is_begun_and_looked_at_as_often_as_it_should(plan in plan()) {
        let taken = work_off(&plan);
        let begun = taken.iter().filter(|taken| taken.turn == Turn::Begin).count();
        prop_assert_eq!(begun, plan.things.len());
        let looks: usize = plan.things.iter().map(|(_, pauses)| pauses.len()).sum();
        prop_assert_eq!(taken.len(), begun + looks);
    }

    /// While both wait, they take turns: neither waits for two of the other.
    #[test]
    fn neither_what_is_new_nor_what_is_due_is_starved(plan in plan()) {
        let taken = work_off(&plan);
        for pair in taken.windows(2) {
            let both_wait = |taken: &Taken| {
                taken.may_begin && taken.due.values().any(|due| *due <= taken.at)
            };
            if pair.iter().all(both_wait) {
                let begins = pair.iter().filter(|taken| taken.turn == Turn::Begin).count();
                prop_assert_eq!(begins, 1, "{:?}", pair);
            }
        }
    }

    #[test]
    fn there_are_never_more_calls_than_the_pace_allows_nor_any_in_a_pause(plan in plan()) {
        let taken = work_off(&plan);
        if plan.per_minute > 0 {
            prop_assert!(most_within(Duration::from_secs(60), &taken) <= plan.per_minute as usize);
        }
        if plan.per_hour > 0 {
            prop_assert!(most_within(Duration::from_secs(3600), &taken) <= plan.per_hour as usize);
        }
        for (call, asked) in &plan.asked {
            if let [asking, next, ..] = taken.get(*call..).unwrap_or_default() {
                prop_assert!(next.at >= asking.at + Duration::from_millis(*asked));
            }
        }
    }
}
