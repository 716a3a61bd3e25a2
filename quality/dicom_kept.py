"""Which attributes of a DICOM header leave a trace in a release, and which trace; every other one leaves none.

The list starts from nothing, as the basic profile of PS3.15 (table E.1-1) does for what it names, and keeps, of that
profile's options, only what is said here.  `tests/quality/test_dicom_allow_list.py` plants a value in every text
attribute of the DICOM dictionary and finds none of them again.
"""

KEPT: dict[str, str] = {
    "Modality": "a word of the taxonomy",
    "BodyPartExamined": "a word of the taxonomy, nothing where it has none",
    "ViewPosition": "a projection that the converter knows, nothing where it does not",
    "ImageLaterality": "left or right",
    "Laterality": "left or right",
    "PatientOrientation": "two letters of the view",
    "ImageOrientationPatient": "plane, two letters of the view, how the picture is turned",
    "ImagePositionPatient": "order of slices, never the numbers",
    "PixelSpacing": "millimetres per pixel of the view",
    "ImagerPixelSpacing": "millimetres per pixel of the view",
    "PixelAspectRatio": "size of the picture",
    "Rows": "size of the view",
    "Columns": "size of the view",
    "NumberOfFrames": "number of the frame",
    "RescaleSlope": "slope of the view",
    "RescaleIntercept": "intercept of the view",
    "WindowCenter": "centre of the view's window",
    "WindowWidth": "width of the view's window",
    "VOILUTFunction": "kind of the view's window",
    "PhotometricInterpretation": "whether the view is inverted",
    "PresentationLUTShape": "whether the view is inverted",
    "BurnedInAnnotation": "a flag",
    "Manufacturer": "a known company, or that it is another one, in the counts of balance.json",
    "InstitutionName": "which cases are of one site, which has a number, in the counts of balance.json",
    "PatientSex": "female, male or other, in the counts of balance.json and where a recipe asks about it",
    "PatientAge": "as PatientSex, in groups; ages from 80 on are one",
    "PatientID": "keyed hash in group_id, where the spec groups by it",
    "StudyInstanceUID": "keyed hash in group_id, where the spec groups by it",
    "FrameOfReferenceUID": "keyed hash in group_id, where the spec groups by it",
    "AccessionNumber": "keyed hash in group_id, where the spec groups by it",
    "SeriesInstanceUID": "case_id: keyed hash under ids: identifier; hash where access is not open; else as it is",
    "SegmentLabel": "a label of the spec's map",
    "ROIName": "a label of the spec's map",
    "CodeMeaning": "words of measurements in structured reports, held against the gate identifiers",
    "NumericValue": "numbers of measurements in structured reports",
}
"""Attribute -> what is published of it.  Pixel data is decoded and encoded anew."""
