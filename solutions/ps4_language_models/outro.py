# %% [markdown] role="text"
# ## Submission
#
# Save the notebook, then run the two cells below. The first lists what your public checks said in this run. The second
# writes `ps4_submission.zip` with your notebook and what question 8 saved, tries your answers in a fresh process as the
# grader will, lists what deserves a look (nothing of it stops you), prints a receipt, and in Colab downloads the file.
# Upload it to Gradescope; you may do so as often as you like until the deadline, and the last one counts. The grader's
# report shows the same receipt, so you can see that it graded this very file.
#
# The grader runs your functions and classes in a process of its own, on other inputs than the public checks, extreme
# ones among them. It takes the last definition of each, and what that definition needs, from anywhere in the notebook;
# it does not run your training cells.

# %% role="run" id="summary"
check.summary(points_of("ps4"))

# %% role="run" id="submission"
submit("ps4")

# %% [markdown] role="text"
# ## Feedback
#
# How many hours did this set take you, which question taught you most, and which text misled you? A few words on
# Gradescope help those who come after you; they do not touch your grade.
