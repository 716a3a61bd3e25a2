"""A dataset of a folder for each class, and a recipe for it: both lie beside a folder ``data``."""

SPEC = """\
name: tiny
title: Tiny
license: CC0-1.0
access: open
root: data
reader: {type: class_folders}
modality: X-ray
anatomy: chest
clinical_task: disease diagnosis
label_kind: multi_class
labels: {normal: normal, sick: pneumonia}
group: {by: case}
"""

RECIPE = """\
name: tiny
version: 1.0.0
datasets: [{spec: tiny.yaml}]
converters: [{type: caption}, {type: yes_no}]
gates: {pictures: {min_side: 30}}
store: store
"""
