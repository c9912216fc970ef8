//! The entity: an actor that decides on a versioned row of its own, in memory.
//!
//! ```text
//! ask ─▶ decide(state, input) ─▶ apply ─▶ journal ─▶ done: complete the ticket, run the effects
//!         pure, in memory         │                 └▶ refused: reload, decide again
//!                                 └▶ the next message, without waiting for the disk
//! ```
//!
//! Its state may be ahead of the database by the changes under way. Nothing of that is seen
//! by anybody: tickets, messages and effects wait for the commit, also those of decisions that change
//! nothing but were made on top of one that does.

mod pending_input;

use super::directory::{Directory, EntityKind, SpawnArguments, Spawned};
use super::journal::{CommitOutcome, JournalHandle, MemoryEpoch};
use super::ticket::{Ticket, TicketOutcome};
use super::tree::Node;
use crate::ports::ReadError;
use async_trait::async_trait;
use ordermill_domain::planted::{Bug, planted};
use ordermill_domain::service::Service;
use pending_input::PendingInput;
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// Pauses between two tries to load from a database that does not answer.
const LOAD_RETRY: Duration = Duration::from_millis(200);

/// A kind of entity: its rules and its store.
#[async_trait]
pub trait EntityRules: Send + Sync + Sized + 'static {
    /// The service it belongs to.
    type Service: Service;
    /// The key of an entity.
    type Key: Clone + Eq + Hash + Ord + Display + Send + Sync + 'static;
    /// The state in memory.
    type State: Send + Sync + 'static;
    /// An input to be decided.
    type Input: Send + Sync + 'static;
    /// The reply to an input.
    type Reply: Send + 'static;
    /// An effect, performed once a decision is committed.
    type Effect: Send + 'static;
    /// The word before the key in its name.
    const KIND: &'static str;

    /// The name of an input in views of actors.
    fn name_of(input: &Self::Input) -> &'static str;

    /// Loads the state. Called when the entity starts, and after a refused change. An entity whose row
    /// cannot be read fails, and its messages count as tried.
    async fn load(&self, key: &Self::Key) -> Result<Self::State, ReadError>;

    /// The assumed state of an entity that this input is the first to reach, so that the
    /// database need not be asked: nothing is stored of it yet. If that is wrong, the store refuses the
    /// change, for its version, and the entity loads and decides again. None: the database is asked.
    fn initial_state(input: &Self::Input) -> Option<Self::State> {
        let _ = input;
        None
    }

    /// Decides, and brings the state to what it is after the decision. Pure but for the clock and the
    /// ids that the implementation was given.
    fn decide(
        &self,
        key: &Self::Key,
        state: &mut Self::State,
        input: &Self::Input,
    ) -> EntityDecision<Self>;

    /// A change that writes nothing: what is decided on top of changes under way waits with it.
    fn nothing(&self, key: &Self::Key, state: &Self::State) -> <Self::Service as Service>::Change;

    /// The reply, after the journal has answered.
    fn answer(reply: Self::Reply, answer: <Self::Service as Service>::Answer) -> Self::Reply;

    /// False when the answer says that nothing was written: what was remembered of it is forgotten.
    fn is_written(answer: &<Self::Service as Service>::Answer) -> bool {
        let _ = answer;
        true
    }

    /// Does something in the world. Must not block: it spawns what takes long, and sends what comes of
    /// it to the key through the directory.
    fn perform(&self, key: &Self::Key, effect: Self::Effect, directory: &Directory<Entities<Self>>);

    /// True when it may leave memory as soon as nothing is under way.
    fn at_rest(&self, state: &Self::State) -> bool;
}

/// A decision on an input.
pub struct EntityDecision<R: EntityRules> {
    /// The change to be written. None: nothing changes.
    pub change: Option<<R::Service as Service>::Change>,
    /// The reply to the sender.
    pub reply: R::Reply,
    /// The effects to perform once it is committed.
    pub effects: Vec<R::Effect>,
}

/// A message to an entity.
pub enum Msg<R: EntityRules> {
    /// Decide this.
    Ask(Arc<R::Input>, Ticket<R::Reply>),
    /// A change of this epoch is committed.
    Committed(Arc<MemoryEpoch>),
    /// A change of this epoch is not: decide its input again on what the database says now.
    Again(Arc<MemoryEpoch>, Option<Undecided<R>>),
    /// Leave memory, if there is nothing to do.
    Retire,
}

impl<R: EntityRules> Msg<R> {
    fn name(&self) -> &'static str {
        match self {
            Self::Ask(input, _) => R::name_of(input),
            Self::Committed(_) => "committed",
            Self::Again(..) => "again",
            Self::Retire => "retire",
        }
    }
}

/// An input whose decision did not come to be written.
pub struct Undecided<R: EntityRules> {
    input: Arc<R::Input>,
    ticket: Ticket<R::Reply>,
}

/// All entities of one kind.
pub struct Entities<R: EntityRules> {
    rules: Arc<R>,
    journal: JournalHandle<R::Service>,
}

impl<R: EntityRules> Entities<R> {
    /// Entities that live by `rules` and write through `journal`.
    pub fn new(rules: Arc<R>, journal: JournalHandle<R::Service>) -> Self {
        Self { rules, journal }
    }

    /// The rules they live by.
    pub fn rules(&self) -> &Arc<R> {
        &self.rules
    }
}

impl<R: EntityRules> Directory<Entities<R>> {
    /// Asks an entity; the ticket completes when what it decides is committed.
    pub fn ask(&self, key: &R::Key, input: R::Input, ticket: Ticket<R::Reply>) {
        self.send(key, Msg::Ask(Arc::new(input), ticket));
    }

    /// Has one leave memory that waits for something that takes long, unless it has anything else to do.
    pub fn evict(&self, key: &R::Key) {
        self.send_if_live(key, Msg::Retire);
    }
}

impl<R: EntityRules> EntityKind for Entities<R> {
    type Key = R::Key;
    type Msg = Msg<R>;
    const KIND: &'static str = R::KIND;

    fn spawn(&self, arguments: SpawnArguments<Self>) -> Result<Spawned<Msg<R>>, SpawnErr> {
        let supervisor = arguments.supervisor.clone();
        let entity = Entity {
            key: arguments.key,
            node: arguments.node,
            directory: arguments.directory,
            rules: self.rules.clone(),
            journal: self.journal.clone(),
        };
        ActorRuntime::spawn_linked_instant(None, entity, (), supervisor)
    }

    fn retire() -> Msg<R> {
        Msg::Retire
    }

    fn refuse(message: Msg<R>, cause: String) {
        match message {
            Msg::Ask(_, ticket) => ticket.complete(TicketOutcome::Retry(cause)),
            Msg::Committed(_) | Msg::Again(..) | Msg::Retire => {}
        }
    }
}

struct Entity<R: EntityRules> {
    key: R::Key,
    node: Arc<Node>,
    directory: Directory<Entities<R>>,
    rules: Arc<R>,
    journal: JournalHandle<R::Service>,
}

/// The state of an entity in memory, and how much of it is not yet committed.
struct Memory<R: EntityRules> {
    state: Option<R::State>,
    epoch: Arc<MemoryEpoch>,
    under_way: usize,
    /// Nothing was decided yet in this life.
    first: bool,
}

impl<R: EntityRules> Actor for Entity<R> {
    type Msg = Msg<R>;
    type State = Memory<R>;
    type Arguments = ();

    async fn pre_start(
        &self,
        _myself: ActorRef<Msg<R>>,
        (): (),
    ) -> Result<Memory<R>, ActorProcessingErr> {
        Ok(Memory { state: None, epoch: Arc::default(), under_way: 0, first: true })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg<R>>,
        message: Msg<R>,
        memory: &mut Memory<R>,
    ) -> Result<(), ActorProcessingErr> {
        self.node.begins(message.name());
        if let Some(unsure) = self.take(&myself, memory, message) {
            // Boxed: an actor has room for every future of its own as long as it lives, also while it waits
            // for nothing.
            match Box::pin(self.load()).await {
                Ok(state) => memory.state = Some(state),
                Err(error) => {
                    unsure.ticket.complete(TicketOutcome::Retry(error.to_string()));
                    return Err(error.into());
                }
            }
            self.decide(&myself, memory, unsure);
        }
        let resting = memory.state.as_ref().is_some_and(|state| self.rules.at_rest(state));
        if resting {
            self.leave(&myself, memory);
        }
        self.node.handled();
        Ok(())
    }
}

impl<R: EntityRules> Memory<R> {
    /// Takes for granted what an input that is the first to reach it allows. True: nobody has asked the
    /// database.
    fn assume_initial_state(&mut self, input: &R::Input) -> bool {
        let first = std::mem::take(&mut self.first);
        if first && self.state.is_none() {
            self.state = R::initial_state(input);
            return self.state.is_some();
        }
        false
    }

    fn committed(&mut self, epoch: &Arc<MemoryEpoch>) {
        if Arc::ptr_eq(epoch, &self.epoch) {
            self.under_way -= 1;
        }
    }

    /// Forgets the state of an epoch that is no longer true.
    fn forget(&mut self, epoch: &Arc<MemoryEpoch>) {
        epoch.invalidate();
        if Arc::ptr_eq(epoch, &self.epoch) {
            *self = Self { state: None, epoch: Arc::default(), under_way: 0, first: false };
        }
    }
}

impl<R: EntityRules> Entity<R> {
    /// Does what it is told, as far as that is possible from memory. Gives back an input that the database
    /// must be asked for first. Waits for nothing, so that what it works with is no part of what a waiting
    /// actor costs.
    fn take(
        &self,
        myself: &ActorRef<Msg<R>>,
        memory: &mut Memory<R>,
        message: Msg<R>,
    ) -> Option<Undecided<R>> {
        let mut undecided = match message {
            Msg::Ask(input, ticket) => Undecided { input, ticket },
            Msg::Again(epoch, undecided) => {
                memory.forget(&epoch);
                undecided?
            }
            Msg::Committed(epoch) => {
                memory.committed(&epoch);
                return None;
            }
            Msg::Retire => {
                self.leave(myself, memory);
                return None;
            }
        };
        undecided.ticket.begin();
        let assumed = memory.assume_initial_state(&undecided.input);
        let Some(state) = &mut memory.state else { return Some(undecided) };
        let decision = self.rules.decide(&self.key, state, &undecided.input);
        if assumed && decision.change.is_none() {
            // The store has no say in it: so it is asked first.
            return Some(undecided);
        }
        self.hand_in(myself, memory, undecided, decision);
        None
    }

    /// Leaves memory, unless something is under way or waits.
    fn leave(&self, myself: &ActorRef<Msg<R>>, memory: &Memory<R>) {
        if memory.under_way == 0 && self.directory.leave(&self.key, myself.get_id()) {
            myself.stop(None);
        }
    }

    /// Decides on what was loaded.
    fn decide(&self, myself: &ActorRef<Msg<R>>, memory: &mut Memory<R>, undecided: Undecided<R>) {
        if let Some(state) = &mut memory.state {
            let decision = self.rules.decide(&self.key, state, &undecided.input);
            self.hand_in(myself, memory, undecided, decision);
        }
    }

    /// Hands in what was decided.
    fn hand_in(
        &self,
        myself: &ActorRef<Msg<R>>,
        memory: &mut Memory<R>,
        Undecided { input, ticket }: Undecided<R>,
        decision: EntityDecision<R>,
    ) {
        let EntityDecision { change, reply, mut effects } = decision;
        if planted(Bug::EffectFirst) {
            self.perform(std::mem::take(&mut effects));
        }
        let change = match change {
            Some(change) => change,
            None if memory.under_way > 0
                && let Some(state) = &memory.state =>
            {
                self.rules.nothing(&self.key, state)
            }
            None => {
                self.perform(effects);
                return ticket.complete(TicketOutcome::Done(reply));
            }
        };
        memory.under_way += 1;
        let mut pending = PendingInput {
            myself: myself.clone(),
            node: self.node.clone(),
            epoch: memory.epoch.clone(),
            undecided: Some(Undecided { input, ticket }),
            refused: false,
        };
        let (rules, key, directory) =
            (self.rules.clone(), self.key.clone(), self.directory.clone());
        self.journal.submit_in_epoch(&memory.epoch, change, move |outcome| match outcome {
            CommitOutcome::Done(answer) if !R::is_written(&answer) => {
                if let Some(Undecided { ticket, .. }) = pending.undecided.take() {
                    ticket.complete(TicketOutcome::Done(R::answer(reply, answer)));
                }
                pending.tell(Msg::Again(pending.epoch.clone(), None));
            }
            CommitOutcome::Done(answer) => {
                if let Some(Undecided { ticket, .. }) = pending.undecided.take() {
                    ticket.complete(TicketOutcome::Done(R::answer(reply, answer)));
                }
                for effect in effects {
                    rules.perform(&key, effect, &directory);
                }
                pending.tell(Msg::Committed(pending.epoch.clone()));
            }
            // Dropping it has the input decided again.
            CommitOutcome::Refused => {
                pending.refused = true;
                drop(pending);
            }
            CommitOutcome::Failed(cause) => {
                if let Some(Undecided { ticket, .. }) = pending.undecided.take() {
                    ticket.complete(TicketOutcome::Dead(cause));
                }
                pending.tell(Msg::Again(pending.epoch.clone(), None));
            }
        });
    }

    fn perform(&self, effects: Vec<R::Effect>) {
        for effect in effects {
            self.rules.perform(&self.key, effect, &self.directory);
        }
    }

    /// Loads the state as soon as the database answers.
    async fn load(&self) -> Result<R::State, ReadError> {
        loop {
            match self.rules.load(&self.key).await {
                Err(error @ ReadError::Away(_)) => {
                    tracing::warn!(actor = %self.node.name, %error, "waiting to be loaded");
                    tokio::time::sleep(LOAD_RETRY).await;
                }
                loaded @ (Ok(_) | Err(ReadError::Unreadable(_))) => return loaded,
            }
        }
    }
}
