//! The rows that one reading of the log files kept.
//!
//! In: batches of rows, with a mark per slot on those that are its. Out: pieces, in memory up to a limit, then in a temporary
//! file that has no name: it is gone with the process, however that ends. Promise: a value that no slot wants of a row is
//! not kept.

use super::super::raw::locked;
use super::fault::ReadFault;
use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::{and, concat, concat_batches, filter, filter_record_batch, or, take};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
use datafusion::execution::memory_pool::MemoryReservation;
use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex};

/// Rows of a piece: fewer cost more than their bytes.
const PIECE: usize = 8_192;

/// Rows, and which slots they are for.
#[derive(Debug)]
pub(super) struct Piece {
    rows: Rows,
    /// Per slot: the rows that are its; all when none.
    marks: Vec<Option<BooleanArray>>,
}

#[derive(Debug)]
enum Rows {
    Memory(RecordBatch),
    /// Where they begin in the file, and how many bytes they take.
    File(u64, usize),
}

/// All that was kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) pieces: Vec<Arc<Piece>>,
    file: Option<Mutex<File>>,
    /// What the pieces in memory take.
    _reservation: Option<MemoryReservation>,
}

impl Kept {
    /// Some columns of those rows of a piece that are a slot's; none if none are.
    pub(super) fn read(
        &self,
        piece: &Piece,
        (slot, columns): (usize, &[usize]),
    ) -> Result<Option<RecordBatch>, ReadFault> {
        let mark = piece.marks[slot].as_ref();
        if mark.is_some_and(|mark| !mark.has_true()) {
            return Ok(None);
        }
        let rows = match (&piece.rows, &self.file) {
            (Rows::Memory(batch), _) => batch.project(columns)?,
            (Rows::File(begin, length), Some(file)) => {
                let mut bytes = vec![0; *length];
                {
                    let mut file = locked(file);
                    file.seek(SeekFrom::Start(*begin))?;
                    file.read_exact(&mut bytes)?;
                }
                stored(bytes, columns)?
            }
            (Rows::File(..), None) => return Ok(None),
        };
        Ok(Some(match mark {
            Some(mark) => filter_record_batch(&rows, mark)?,
            None => rows,
        }))
    }
}

/// The columns in the order of their numbers, which may be any.
fn stored(bytes: Vec<u8>, columns: &[usize]) -> Result<RecordBatch, ReadFault> {
    let mut sorted = columns.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut reader = FileReader::try_new(Cursor::new(bytes), Some(sorted.clone()))?;
    let batch = match reader.next() {
        Some(batch) => batch?,
        None => RecordBatch::new_empty(reader.schema()),
    };
    let places = columns
        .iter()
        .filter_map(|column| sorted.binary_search(column).ok());
    Ok(batch.project(&places.collect::<Vec<_>>())?)
}

/// Takes rows until all are there.
#[derive(Debug)]
pub(super) struct Keeper {
    schema: SchemaRef,
    /// Per column: the slots that want it.
    wanted: Vec<Vec<usize>>,
    in_memory: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Rows that are too few for a piece.
    waiting: Vec<(RecordBatch, Vec<BooleanArray>)>,
    waiting_rows: usize,
    pieces: Vec<Arc<Piece>>,
    memory: usize,
    reservation: MemoryReservation,
    file: Option<(File, u64)>,
}

impl Keeper {
    /// For rows of these columns, each wanted by some slots.
    pub(super) fn new(
        schema: SchemaRef,
        wanted: Vec<Vec<usize>>,
        (in_memory, reservation): (usize, MemoryReservation),
    ) -> Self {
        Self {
            schema,
            wanted,
            in_memory,
            state: Mutex::new(State {
                waiting: Vec::new(),
                waiting_rows: 0,
                pieces: Vec::new(),
                memory: 0,
                reservation,
                file: None,
            }),
        }
    }

    /// Takes a batch; `marks` has for each slot the rows that are its.
    pub(super) fn take(
        &self,
        batch: &RecordBatch,
        marks: Vec<BooleanArray>,
    ) -> Result<(), ReadFault> {
        let Some((batch, marks)) = self.wanted_only(batch, marks)? else {
            return Ok(());
        };
        let full = {
            let mut state = locked(&self.state);
            state.waiting_rows += batch.num_rows();
            state.waiting.push((batch, marks));
            match state.waiting_rows >= PIECE {
                true => state.all_waiting(),
                false => Vec::new(),
            }
        };
        self.put(full)
    }

    /// All that was kept, when every batch was taken.
    pub(super) fn finish(self) -> Result<Kept, ReadFault> {
        let rest = locked(&self.state).all_waiting();
        self.put(rest)?;
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Kept {
            pieces: state.pieces,
            file: state.file.map(|(file, _)| Mutex::new(file)),
            _reservation: Some(state.reservation),
        })
    }

    /// The rows that any slot wants, without the values that none wants.
    fn wanted_only(
        &self,
        batch: &RecordBatch,
        marks: Vec<BooleanArray>,
    ) -> Result<Option<(RecordBatch, Vec<BooleanArray>)>, ReadFault> {
        let Some(any) = any_of(marks.iter())? else {
            return Ok(None);
        };
        if !any.has_true() {
            return Ok(None);
        }
        let all = !any.has_false();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (column, slots) in batch.columns().iter().zip(&self.wanted) {
            let wanted = any_of(slots.iter().map(|slot| &marks[*slot]))?;
            let wanted = wanted.unwrap_or_else(|| any.clone());
            columns.push(if wanted == any {
                match all {
                    true => Arc::clone(column),
                    false => filter(column, &any)?,
                }
            } else {
                let wanted = and(&wanted, &any)?;
                let rows = (0..).zip(any.values().iter()).filter(|(_, kept)| *kept);
                let rows = rows.map(|(row, _)| wanted.value(row as usize).then_some(row));
                take(column, &rows.collect::<UInt32Array>(), None)?
            });
        }
        let marks = match all {
            true => marks,
            false => {
                let marks = marks.iter().map(|mark| {
                    let mark = filter(mark, &any)?;
                    Ok(BooleanArray::from(mark.to_data()))
                });
                marks.collect::<Result<_, ArrowError>>()?
            }
        };
        let options = RecordBatchOptions::new().with_row_count(Some(any.true_count()));
        let schema = SchemaRef::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        Ok(Some((batch, marks)))
    }

    /// Makes a piece of these rows.
    fn put(&self, rows: Vec<(RecordBatch, Vec<BooleanArray>)>) -> Result<(), ReadFault> {
        let Some((first, first_marks)) = rows.first() else {
            return Ok(());
        };
        let schema = first.schema();
        let slots = first_marks.len();
        let batch = concat_batches(&schema, rows.iter().map(|(batch, _)| batch))?;
        let mut marks = Vec::with_capacity(slots);
        for slot in 0..slots {
            let parts = rows.iter().map(|(_, marks)| &marks[slot] as &dyn Array);
            let mark = concat(&parts.collect::<Vec<_>>())?;
            marks.push(BooleanArray::from(mark.to_data()));
        }
        drop(rows);
        let marks = marks
            .into_iter()
            .map(|mark| mark.has_false().then_some(mark))
            .collect();
        let bytes = batch.get_array_memory_size();
        let fits = {
            let mut state = locked(&self.state);
            let fits =
                state.memory + bytes <= self.in_memory && state.reservation.try_grow(bytes).is_ok();
            if fits {
                state.memory += bytes;
            }
            fits
        };
        let rows = match fits {
            true => Rows::Memory(batch),
            false => {
                // Compressed by this thread, while others go on; only the writing is one after the other.
                let bytes = ipc(&batch)?;
                let mut state = locked(&self.state);
                let (file, end) = match &mut state.file {
                    Some(file) => file,
                    none => none.insert((tempfile::tempfile()?, 0)),
                };
                file.write_all(&bytes)?;
                let begin = *end;
                *end += bytes.len() as u64;
                Rows::File(begin, bytes.len())
            }
        };
        locked(&self.state)
            .pieces
            .push(Arc::new(Piece { rows, marks }));
        Ok(())
    }
}

impl State {
    fn all_waiting(&mut self) -> Vec<(RecordBatch, Vec<BooleanArray>)> {
        self.waiting_rows = 0;
        std::mem::take(&mut self.waiting)
    }
}

fn ipc(batch: &RecordBatch) -> Result<Vec<u8>, ReadFault> {
    let options =
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options)?;
    writer.write(batch)?;
    writer.finish()?;
    Ok(writer.into_inner()?)
}

/// Where any of these marks is; none if there are no marks.
fn any_of<'a>(
    mut marks: impl Iterator<Item = &'a BooleanArray>,
) -> Result<Option<BooleanArray>, ArrowError> {
    let Some(first) = marks.next() else {
        return Ok(None);
    };
    let any = marks.try_fold(first.clone(), |any, mark| or(&any, mark))?;
    Ok(Some(any))
}
