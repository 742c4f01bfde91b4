//! Whether a compiled query can hold anywhere.
//!
//! In: a [`Plan`]. Out: why it holds nowhere, where that is certain; what it excludes, and whether another plan needs that.
//! Promise: only what is certain is told: a query that is called impossible finds nothing in any article.
//! Not here: telling it with a place ([`super::compile`]).

use std::collections::BTreeSet;

use super::evaluate::{Atom, Plan};
use super::query::Part;

/// Why a plan can hold nowhere, where it cannot.
pub(super) fn possible(plan: &Plan) -> Result<(), String> {
    match plan {
        Plan::Any(_) | Plan::Test { .. } => Ok(()),
        Plan::Or(plans) => {
            let mut last = Ok(());
            for plan in plans {
                last = possible(plan);
                if last.is_ok() {
                    break;
                }
            }
            last
        }
        Plan::And { all, none } => {
            let mut excluded = Excluded::default();
            none.iter().for_each(|plan| excluded.add(plan));
            match all.iter().any(|plan| within(plan, &excluded)) {
                true => Err("it asks for and excludes the same thing".to_owned()),
                false => all.iter().try_for_each(possible),
            }
        }
        Plan::Near { first, then } => {
            let mut sides = std::iter::once(&**first).chain(then.iter().map(|(_, plan)| plan));
            if sides.clone().all(has_place) {
                sides.try_for_each(possible)
            } else {
                Err("url:, feed: and lang: stand near nothing; join them with AND".to_owned())
            }
        }
        Plan::In(part, plan) => {
            if !has_place(plan) {
                return Err("url:, feed: and lang: are not part of a title or lead; join them with AND".to_owned());
            }
            if let Plan::In(inner, _) = &**plan
                && inner != part
            {
                return Err(
                    "nothing is in the title and in the lead at once; join title: and lead: with AND".to_owned()
                );
            }
            possible(plan)
        }
    }
}

/// Whether a plan finds words (and not only tests of other fields).
fn has_place(plan: &Plan) -> bool {
    match plan {
        Plan::Any(_) => true,
        Plan::Test { .. } => false,
        Plan::Or(plans) => plans.iter().any(has_place),
        Plan::And { all, .. } => all.iter().all(has_place),
        Plan::Near { first, .. } => has_place(first),
        Plan::In(Part::Title | Part::Lead, plan) => has_place(plan),
    }
}

/// What must stand nowhere in an article.
#[derive(Debug, Default)]
pub(super) struct Excluded<'p> {
    atoms: BTreeSet<Atom>,
    plans: Vec<&'p Plan>,
}

impl<'p> Excluded<'p> {
    fn add(&mut self, plan: &'p Plan) {
        match plan {
            Plan::Any(atoms) => self.atoms.extend(atoms),
            Plan::Or(plans) => plans.iter().for_each(|plan| self.add(plan)),
            other => self.plans.push(other),
        }
    }
}

/// What stands nowhere in an article that `gate` holds in.
pub(super) fn excluded(gate: &Plan) -> Excluded<'_> {
    let mut excluded = Excluded::default();
    collect(gate, &mut excluded);
    excluded
}

fn collect<'p>(plan: &'p Plan, excluded: &mut Excluded<'p>) {
    match plan {
        Plan::And { all, none } => {
            none.iter().for_each(|plan| excluded.add(plan));
            all.iter().for_each(|plan| collect(plan, excluded));
        }
        Plan::Near { first, then } => {
            collect(first, excluded);
            then.iter().for_each(|(_, plan)| collect(plan, excluded));
        }
        // Held within a part, it excludes from that part only.
        Plan::Any(_) | Plan::Or(_) | Plan::In(..) | Plan::Test { .. } => {}
    }
}

/// Whether `plan` holds only where something of `excluded` stands.
pub(super) fn within(plan: &Plan, excluded: &Excluded<'_>) -> bool {
    excluded.plans.contains(&plan)
        || match plan {
            Plan::Any(atoms) => atoms.iter().all(|atom| excluded.atoms.contains(atom)),
            Plan::Or(plans) => plans.iter().all(|plan| within(plan, excluded)),
            Plan::And { all, .. } => all.iter().any(|plan| within(plan, excluded)),
            Plan::Near { first, then } => {
                within(first, excluded) || then.iter().any(|(_, plan)| within(plan, excluded))
            }
            // Within a part, what a part of `plan` means is another thing than in the whole: only words are the same.
            Plan::In(_, plan) => words_within(plan, excluded),
            Plan::Test { .. } => false,
        }
}

fn words_within(plan: &Plan, excluded: &Excluded<'_>) -> bool {
    match plan {
        Plan::Any(atoms) => atoms.iter().all(|atom| excluded.atoms.contains(atom)),
        Plan::Or(plans) => plans.iter().all(|plan| words_within(plan, excluded)),
        Plan::And { all, .. } => all.iter().any(|plan| words_within(plan, excluded)),
        Plan::Near { first, then } => {
            words_within(first, excluded) || then.iter().any(|(_, plan)| words_within(plan, excluded))
        }
        Plan::In(_, plan) => words_within(plan, excluded),
        Plan::Test { .. } => false,
    }
}
