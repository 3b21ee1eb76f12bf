"""Live control: what is being recorded now, and what people order about it (RG.12)."""
