//! Sets of lists, each held once: most entries are in one list alone.

use indexmap::IndexSet;

/// A set of lists. The default is the empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Set(u32);

/// All sets that there are.
#[derive(Debug, Clone)]
pub(super) struct Sets(IndexSet<Box<[u16]>, hashbrown::DefaultHashBuilder>);

impl Default for Sets {
    fn default() -> Self {
        let mut sets = IndexSet::default();
        sets.insert(Box::default());
        Self(sets)
    }
}

impl Sets {
    /// The set of these lists, by their numbers, ascending.
    pub fn of(&mut self, lists: impl Iterator<Item = u16>) -> Set {
        let (number, _) = self.0.insert_full(lists.collect());
        // There are fewer sets than entries, of which there are fewer than that.
        Set(u32::try_from(number).unwrap_or(0))
    }

    /// A set with one more list.
    pub fn with(&mut self, set: Set, list: u16) -> Set {
        let mut lists = self.lists(set).to_vec();
        if let Err(at) = lists.binary_search(&list) {
            lists.insert(at, list);
        }
        self.of(lists.into_iter())
    }

    /// The numbers of a set's lists.
    pub fn lists(&self, set: Set) -> &[u16] {
        self.0
            .get_index(set.0 as usize)
            .map_or(&[], |lists| &**lists)
    }
}
