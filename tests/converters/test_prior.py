"""Sentences of reports that compare with an earlier examination go; those that say what is seen stay."""

import pytest

from converters.report import without_prior

GOES = [
    "Compared to the prior study, the effusion has increased.",
    "The right pleural effusion is unchanged.",
    "No interval change in the position of the tube.",
    "The previously seen nodule is no longer visible.",
    "There has been interval placement of a left chest tube.",
    "The opacity in the left base has cleared.",
    "Stable cardiomegaly.",
    "The mass is larger than on the last CT.",
    "The infiltrate has resolved.",
    "New right lower lobe consolidation.",
    "Again seen is a calcified granuloma.",
    "Atelectasis is less prominent.",
    "The lines are in the same place as before.",
    "The patient returns for follow-up of a nodule.",
    "Recurrent pneumothorax on the left.",
    "The endotracheal tube has been removed.",
    "Persistent elevation of the right hemidiaphragm.",
    "双侧胸腔积液较前增多。",
    "与前片比较，右肺结节大致同前。",
]
STAYS = [
    "The heart is enlarged.",
    "No pneumothorax or pleural effusion.",
    "A 12 mm nodule lies in the right upper lobe.",
    "The lungs are clear.",
    "There is a left-sided chest tube with its tip at the apex.",
    "Degenerative changes of the thoracic spine.",
    "The mediastinal contours are within normal limits.",
    "The trachea is midline.",
    "双肺纹理清晰，未见实变。",
    "心影增大。",
]


@pytest.mark.parametrize("sentence", GOES)
def test_it_goes(sentence):
    assert without_prior(sentence) == ""


@pytest.mark.parametrize("sentence", STAYS)
def test_it_stays(sentence):
    assert without_prior(sentence) == sentence


def test_the_others_are_joined_as_they_were():
    assert (
        without_prior("The heart is large. It has grown since May. No effusion.") == "The heart is large. No effusion."
    )
    assert without_prior("心影增大。胸腔积液较前吸收。双肺清晰。") == "心影增大。双肺清晰。"
    assert without_prior("Size 1.5 cm. Stable.") == "Size 1.5 cm."
