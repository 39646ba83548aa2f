"""The repetition filter of datatrove over the texts of a Parquet file (column `text`), in this process.

python run_repetition.py texts.parquet    # with requirements-datatrove.txt
"""

import sys
import time

import polars as pl
from datatrove.data import Document
from datatrove.pipeline.filters import GopherRepetitionFilter

texts = pl.read_parquet(sys.argv[1])["text"].to_list()
repetition = GopherRepetitionFilter()
repetition.filter(Document(text=texts[0], id="0"))  # loads its splitter of words
before = time.process_time()
for text in texts:
    repetition.filter(Document(text=text, id="0"))
print(time.process_time() - before)
