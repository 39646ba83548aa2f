"""The pages of `am view`: rows of a recipe to search, filter, open and mark, in a browser on this machine.

    table      the rows of a recipe as one narrow frame    filters    what a query string asks of them
    searching  texts that contain words                     texts      parts of a text, and what is withheld
    row        one question with all that is known of it    marks      what people say of answers
    guard      who may ask, and what a page may do          app        the routes; templates and static files beside it

Pages are made on the server. Texts of rows are hostile: templates escape them, and the content security policy lets no
script run but our own files.
"""
