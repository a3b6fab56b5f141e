//! The places of an event: found by its provider and number, with the fields of all events numbered.

use super::Rules;
use super::place::{Condition, Place, Reader};
use super::reader::{Buffers, Observer};

/// A row whose fields are read by their number in [`Plan::fields`].
pub trait Row {
    /// Writes the text of a field. `false` where it has none: it is missing, without a value, a list or a structure.
    fn text(&self, field: usize, text: &mut String) -> bool;

    /// The unfinished word that the part before this part of a script block ended in.
    fn before(&self) -> Option<&str> {
        None
    }
}

/// The fields to read, by event.
#[derive(Debug, Clone)]
pub struct Plan<'r> {
    fields: Vec<&'r str>,
    providers: Vec<Provider<'r>>,
    process: ProcessFields,
}

/// The places of a provider.
#[derive(Debug, Clone)]
pub struct Provider<'r> {
    /// Its name.
    pub name: &'r str,
    events: Vec<(Option<u64>, Vec<Step<'r>>)>,
}

/// A place, its fields by their numbers.
#[derive(Debug, Clone)]
pub struct Step<'r> {
    /// The place.
    pub place: &'r Place,
    field: usize,
    port: Option<usize>,
    conditions: Vec<(usize, &'r Condition)>,
    part: Option<PartFields>,
}

/// The fields that say which part of which script block an event has.
#[derive(Debug, Clone, Copy)]
pub struct PartFields {
    /// The text.
    pub text: usize,
    /// The block's id.
    pub block: usize,
    /// The number of the part, from 1 on.
    pub number: usize,
    /// The number of parts.
    pub total: usize,
}

/// The fields that say which process an event is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessFields {
    /// Sysmon's unique number of a process.
    pub guid: usize,
    /// Its id, as Sysmon, security auditing (connections; creations) and BITS name it.
    pub ids: [usize; 4],
}

impl<'r> Plan<'r> {
    /// The plan of all places.
    #[must_use]
    pub fn new(rules: &'r Rules) -> Self {
        let mut plan = Self {
            fields: Vec::new(),
            providers: Vec::new(),
            process: ProcessFields::default(),
        };
        plan.process = ProcessFields {
            guid: plan.number("ProcessGuid"),
            ids: ["ProcessId", "ProcessID", "NewProcessId", "processId"]
                .map(|name| plan.number(name)),
        };
        for place in rules.places() {
            let step = Step {
                place,
                field: plan.number(&place.field),
                port: place.port.as_deref().map(|port| plan.number(port)),
                conditions: place
                    .conditions
                    .iter()
                    .map(|condition| (plan.number(&condition.field), condition))
                    .collect(),
                part: (place.reader == Reader::Script).then(|| PartFields {
                    text: plan.number(&place.field),
                    block: plan.number("ScriptBlockId"),
                    number: plan.number("MessageNumber"),
                    total: plan.number("MessageTotal"),
                }),
            };
            let ids: Vec<_> = match &place.event_ids[..] {
                [] => vec![None],
                ids => ids.iter().copied().map(Some).collect(),
            };
            for provider in &place.providers {
                let events = plan.events_of(provider);
                for id in &ids {
                    match events.iter_mut().find(|(known, _)| known == id) {
                        Some((_, steps)) => steps.push(step.clone()),
                        None => events.push((*id, vec![step.clone()])),
                    }
                }
            }
        }
        plan
    }

    fn number(&mut self, field: &'r str) -> usize {
        let known = self.fields.iter().position(|known| *known == field);
        known.unwrap_or_else(|| {
            self.fields.push(field);
            self.fields.len() - 1
        })
    }

    fn events_of(&mut self, name: &'r str) -> &mut Vec<(Option<u64>, Vec<Step<'r>>)> {
        let known = self.providers.iter().position(|known| known.name == name);
        let at = known.unwrap_or_else(|| {
            self.providers.push(Provider {
                name,
                events: Vec::new(),
            });
            self.providers.len() - 1
        });
        &mut self.providers[at].events
    }

    /// Where an event says which process it is about.
    #[must_use]
    pub fn process_fields(&self) -> &ProcessFields {
        &self.process
    }

    /// The names of all fields that are read.
    #[must_use]
    pub fn fields(&self) -> &[&'r str] {
        &self.fields
    }

    /// The number of a field that is read.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|known| *known == name)
    }

    /// The providers that have a place.
    #[must_use]
    pub fn providers(&self) -> &[Provider<'r>] {
        &self.providers
    }

    /// The provider of a name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Provider<'r>> {
        self.providers.iter().find(|known| known.name == name)
    }
}

impl<'r> Provider<'r> {
    /// The numbers of the events that have places, none for rows that are not events, and those places; both in the order
    /// of the table.
    pub fn events(&self) -> impl Iterator<Item = (Option<u64>, &[Step<'r>])> {
        self.events.iter().map(|(id, steps)| (*id, &**steps))
    }

    /// The places of an event, or of a row that is not one, in the order of the table.
    #[must_use]
    pub fn steps(&self, event_id: Option<u64>) -> &[Step<'r>] {
        let known = self.events.iter().find(|(known, _)| *known == event_id);
        known.map_or(&[], |(_, steps)| steps)
    }

    /// Where an event says which part of a script block it has.
    #[must_use]
    pub fn part_fields(&self, event_id: u64) -> Option<PartFields> {
        self.steps(Some(event_id)).iter().find_map(|step| step.part)
    }
}

/// The texts of a row's fields, and what they are read with.
#[derive(Debug, Default)]
pub struct FieldReader {
    text: String,
    other: String,
    buffers: Buffers,
}

impl FieldReader {
    /// Whether all conditions of a place hold.
    pub fn holds(&mut self, step: &Step<'_>, row: &dyn Row) -> bool {
        step.conditions.iter().all(|(field, condition)| {
            self.other.clear();
            let there = row.text(*field, &mut self.other);
            condition.holds(there.then_some(&self.other))
        })
    }

    /// Reads the field of a place, whatever its conditions say.
    pub fn read(&mut self, step: &Step<'_>, row: &dyn Row, observer: &mut dyn Observer) {
        self.text.clear();
        if step.part.is_some() {
            self.text.push_str(row.before().unwrap_or_default());
        }
        if !row.text(step.field, &mut self.text) {
            return;
        }
        let port = step.port.filter(|port| {
            self.other.clear();
            row.text(*port, &mut self.other)
        });
        let port = port.map(|_| &*self.other);
        self.buffers
            .read(&step.place.reader, &self.text, port, observer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_places_of_its_provider_and_number_alone() {
        let plan = Plan::new(Rules::built_in());
        let fields = |provider: &str, id| -> Vec<String> {
            let steps = plan.provider(provider).map(|provider| provider.steps(id));
            let steps = steps.unwrap_or_default().iter();
            steps.map(|step| step.place.field.clone()).collect()
        };
        assert_eq!(fields("Linux-Sysmon", Some(1)), ["Hashes", "CommandLine"]);
        assert_eq!(fields("Microsoft-Windows-Sysmon", Some(29)), ["Hashes"]);
        assert!(fields("Microsoft-Windows-Sysmon", Some(24)).is_empty());
        assert!(fields("Microsoft-Windows-Sysmon", None).is_empty());
        assert!(fields("Microsoft-Windows-Kernel-General", Some(3)).is_empty());
        assert_eq!(fields("Value", None).len(), 6);
    }
}
