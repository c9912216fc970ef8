//! Values that are derived from the table of steps.

use super::spec::{Action, Phase, SagaStep, Trigger};
use super::{COMPENSATION, FULFILMENT, Step};

impl Step {
    /// The step's name in failures and stored facts.
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

    /// How the step is undone. None: it is not undone.
    pub const fn undo(self) -> Option<&'static Action> {
        match &self.spec().phase {
            Phase::Plan { undo, .. } => Some(undo),
            Phase::Fulfilment { .. } => None,
        }
    }

    /// The trigger of a step after the confirmation. None: its plan starts it.
    pub const fn trigger(self) -> Option<&'static Trigger> {
        match &self.spec().phase {
            Phase::Plan { .. } => None,
            Phase::Fulfilment { trigger, .. } => Some(trigger),
        }
    }

    /// The step before this one in the fulfilment.
    pub fn previous(self) -> Option<Self> {
        let index = FULFILMENT.iter().position(|step| *step == self)?;
        FULFILMENT.get(index.checked_sub(1)?).copied()
    }

    /// The step itself, or the step that it follows without a request of its own.
    pub fn leader(self) -> Self {
        match self.trigger() {
            Some(Trigger::Previous) => self.previous().map_or(self, Self::leader),
            Some(Trigger::Request { .. }) | None => self,
        }
    }
}

impl SagaStep {
    /// Every name: the steps, the undos, and [`Self::DONE`].
    pub const ALL: [Self; Step::ALL.len() + COMPENSATION.len() + 1] = {
        let mut all = [Self::DONE; _];
        let mut index = 0;
        while index < Step::ALL.len() {
            all[index] = Step::ALL[index].spec().action.activity;
            index += 1;
        }
        while index < all.len() - 1 {
            if let Some(undo) = COMPENSATION[index - Step::ALL.len()].undo() {
                all[index] = undo.activity;
            }
            index += 1;
        }
        all
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ServiceName;
    use crate::messages::{Kind, Plan};
    use crate::order::decide_payment_news::is_news;
    use crate::order::steps::steps;

    #[test]
    fn every_event_of_a_service_answers_a_step() {
        let services = [ServiceName::Inventory, ServiceName::Payment, ServiceName::Shipping];
        let events = Kind::ALL.iter().filter(|kind| kind.is_event());
        for kind in events.filter(|kind| services.contains(&kind.service())) {
            let answered = Step::ALL.into_iter().find(|step| match &step.spec().phase {
                _ if step.spec().action.done == *kind => true,
                Phase::Plan { refused, undo, .. } => refused == kind || undo.done == *kind,
                Phase::Fulfilment { .. } => false,
            });
            assert!(
                answered.is_some() != is_news(*kind),
                "no step awaits {kind}, and it is no news"
            );
        }
    }

    #[test]
    fn every_step_has_its_row_and_its_places_in_the_lists() {
        for plan in [Plan::ReserveFirst, Plan::PaymentFirst] {
            let mut taken = [&steps(plan)[..], &FULFILMENT].concat();
            taken.sort_unstable();
            assert_eq!(taken, Step::ALL);
        }
        for step in Step::ALL {
            assert_eq!(serde_json::to_value(step).unwrap(), step.as_str(), "rows in their order");
            assert_eq!(step.undo().is_some(), COMPENSATION.contains(&step), "{step:?}");
        }
    }
}
